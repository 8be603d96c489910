// A picture inside a text, chosen among the stored ones. It brings its size and its credit, and the
// alt text that an article already has for it. The package's own dialog asks for a URL only.
import { Figure as BaseFigure, crel, gettext, updateAttrsDialog } from "django-prose-editor/editor";
import { loadPictureDialog } from "../picture_dialog.js";

export const Figure = BaseFigure.extend({
  addCommands() {
    const { editImage, ...others } = this.parent();
    const { pickerUrl } = this.options;
    return {
      ...others,
      editImage: () => (properties) => {
        const isPossible = editImage()({ ...properties, dispatch: undefined });
        if (isPossible && properties.dispatch) edit(properties.editor, pickerUrl);
        return isPossible;
      },
    };
  },
});

const edit = async (editor, pickerUrl) => {
  const found = pictureAt(editor.state);
  const before = found?.image?.attrs ?? {};
  const chosen = { image: before };
  const fields = {
    src: {
      title: gettext("Address of the picture"),
      required: !found,
      picker: {
        label: gettext("Choose a picture …"),
        handler: ({ input }) => choose(editor, pickerUrl, input, chosen),
      },
    },
    alt: {
      title: gettext("Alt text"),
      description: gettext("What it shows, for readers who can’t see it."),
    },
    // A caption that exists is edited in the text: it may contain links and emphasis.
    ...(found?.caption ? {} : { caption: { title: gettext("Caption") } }),
    credit: { title: gettext("Credit") },
  };
  const credit = creditOf(found?.caption);
  const title = found ? gettext("Change the picture") : gettext("Insert a picture");
  const submitText = found ? gettext("Update") : gettext("Insert");
  const ask = updateAttrsDialog(fields, { title, submitText });
  const answer = ask(editor, { src: before.src, alt: before.alt, credit });
  // The package gives its dialogs a heading, but no name for screen readers.
  editor.options.element.querySelector(".prose-editor-dialog").setAttribute("aria-label", title);
  const values = await answer;
  if (!values) return;
  for (const [name, value] of Object.entries(values)) values[name] = value.trim();
  if (values.credit === credit) delete values.credit;
  if (values.src) put(editor, values, chosen.image);
  else remove(editor);
};

// Let the editor choose a picture, and fill the fields of the dialog with what is known about it.
const choose = async (editor, pickerUrl, input, chosen) => {
  const { src, alt, credit } = input.form.elements;
  const place = input.closest(".prose-editor-dialog-field");
  place.querySelector("[role=alert]")?.remove();
  const language = editor.options.element.querySelector("textarea")?.lang ?? "";
  let pictures;
  try {
    pictures = await loadPictureDialog(pickerUrl);
  } catch {
    const textContent = gettext("The pictures could not be loaded. Check your connection.");
    place.append(crel("p", { role: "alert", className: "errornote", textContent }));
    return;
  }
  const option = await pictures.open({ chosen: src.value, language });
  if (!option || option.dataset.src === src.value) return;
  const { dataset } = option;
  chosen.image = { src: dataset.src, width: dataset.width, height: dataset.height };
  src.value = dataset.src;
  alt.value = dataset.alt;
  credit.value = dataset.credit;
  alt.focus();
};

// Write the picture into the text: in place of the selected one, or as a new one.
const put = (editor, { src, alt, caption, credit }, known) => {
  const { schema } = editor.state;
  const found = pictureAt(editor.state);
  // A size belongs to the file. It is unknown if the address was changed by hand.
  const { width = null, height = null } = known.src === src ? known : {};
  let words = found?.caption?.content.content ?? [];
  if (caption) words = [schema.text(caption)];
  if (credit !== undefined) words = withCredit(schema, words, credit);
  const children = [schema.nodes.image.create({ src, alt, width, height })];
  if (words.length) children.push(schema.nodes.caption.create(null, words));
  const figure = schema.nodes.figure.create(null, children);
  const chain = editor.chain().focus();
  if (found) {
    chain.command(({ tr }) => Boolean(tr.replaceWith(found.from, found.to, figure))).run();
  } else chain.insertContent(figure.toJSON()).run();
};

const remove = (editor) => {
  const { from, to } = pictureAt(editor.state);
  editor.chain().focus().deleteRange({ from, to }).run();
};

// Return the picture that is selected, or in whose figure the cursor is, and where it is.
const pictureAt = ({ selection }) => {
  const { $from, from, node } = selection;
  if (node?.type.name === "figure") return figureAt(node, from);
  for (let depth = $from.depth; depth > 0; depth--) {
    const around = $from.node(depth);
    if (around.type.name === "figure") return figureAt(around, $from.before(depth));
  }
  if (node?.type.name === "image") return { image: node, from, to: from + node.nodeSize };
  return null;
};

const figureAt = (figure, from) => {
  const children = Object.fromEntries(figure.children.map((child) => [child.type.name, child]));
  return { ...children, from, to: from + figure.nodeSize };
};

const isCredit = (node) => node.marks.some((mark) => mark.type.name === "credit");

const creditOf = (caption) =>
  (caption?.children ?? []).filter(isCredit).map((node) => node.textContent).join("");

// Return the caption's content with another credit, which stands at its end; "" for none.
const withCredit = (schema, words, credit) => {
  const kept = words.filter((node) => !isCredit(node));
  const last = kept.pop();
  if (last?.isText) {
    const text = last.text.trimEnd();
    if (text) kept.push(schema.text(text, last.marks));
  } else if (last) kept.push(last);
  if (!credit) return kept;
  const mark = schema.marks.credit.create();
  return [...kept, ...(kept.length ? [schema.text(" ")] : []), schema.text(credit, [mark])];
};
