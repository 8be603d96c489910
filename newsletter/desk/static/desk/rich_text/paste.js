// Pasted HTML is cleaned by the server, with the code that also cleans on saving, so that footnotes,
// lists and headings of word processors become ours. A line below the editor says what was lost.
import { Extension, Plugin, crel, gettext, pm } from "django-prose-editor/editor";

const WAIT = 10_000;
let pastes = 0;

export const CleanPaste = Extension.create({
  name: "cleanPaste",
  addOptions: () => ({ url: "" }),
  addStorage: () => ({ status: null }),

  onCreate() {
    this.storage.status = crel("div", { className: "prose-status", role: "status" });
    this.editor.options.element.after(this.storage.status);
  },

  onDestroy() {
    this.storage.status?.remove();
  },

  addProseMirrorPlugins() {
    const { editor, options, storage } = this;
    let isFallback = false;
    return [
      new Plugin({
        props: {
          handlePaste(view, event) {
            const html = isFallback ? "" : pastedHtml(event.clipboardData);
            if (!html) return false;
            const place = follow(editor);
            clean(options.url, html)
              .then((cleaned) => {
                insert(view, place.end(), cleaned.html);
                show(storage.status, gettext("Not everything could be kept:"), cleaned.messages);
              })
              .catch((error) => {
                console.error("The pasted text could not be cleaned:", error);
                isFallback = true;
                select(view, place.end());
                view.pasteHTML(html);
                isFallback = false;
                const text = gettext(
                  "The server could not be reached, so that formatting may have been lost. " +
                    "Undo, and paste again later.",
                );
                show(storage.status, text, [""]);
              });
            return true;
          },
        },
      }),
    ];
  },
});

// Return what has to be cleaned; "" for text copied in our editor, and for a single line.
const pastedHtml = (data) => {
  const html = data?.getData("text/html") ?? "";
  if (html.includes("data-pm-slice")) return "";
  if (html) return html.replace(/(src=["']?data:)[^"'\s>]+/gi, "$1,");
  const text = (data?.getData("text/plain") ?? "").trim();
  return text.includes("\n") ? crel("p", { textContent: text }).innerHTML : "";
};

// Remember the selection while the server is asked, whatever is typed in the meantime.
const follow = (editor) => {
  let { from, to } = editor.state.selection;
  const move = ({ transaction }) => {
    from = transaction.mapping.map(from, -1);
    to = transaction.mapping.map(to, 1);
  };
  editor.on("transaction", move);
  return {
    end: () => {
      editor.off("transaction", move);
      return { from, to };
    },
  };
};

const clean = async (url, html) => {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const response = await fetch(url, {
    method: "POST",
    body: new URLSearchParams({ html }),
    headers: { "X-CSRFToken": token },
    signal: AbortSignal.timeout(WAIT),
  });
  if (!response.ok || response.redirected) throw new Error(`status ${response.status}`);
  return response.json();
};

const select = (view, { from, to }) => {
  const { doc, tr } = view.state;
  const selection = pm.state.TextSelection.between(doc.resolve(from), doc.resolve(to));
  view.dispatch(tr.setSelection(selection));
};

// Insert the text at the selection, and its footnotes at the end, in one step.
const insert = (view, place, html) => {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  const parser = pm.model.DOMParser.fromSchema(view.state.schema);
  const items = separateNotes(body);
  select(view, place);
  const { schema, tr } = view.state;
  tr.replaceSelection(openTo(parser.parseSlice(body)));
  const notes = items.map((item) => {
    const topNode = schema.nodes.note.create({ key: item.id.replace("note-", "") });
    return parser.parse(item, { topNode });
  });
  if (notes.length) {
    const { size } = tr.doc.content;
    if (tr.doc.lastChild.type.name === "notes") tr.insert(size - 1, notes);
    else tr.insert(size, schema.nodes.notes.create(null, notes));
  }
  view.dispatch(tr.scrollIntoView());
};

// Take the footnotes out, and give them keys that no other footnote of the document has.
const separateNotes = (body) => {
  pastes += 1;
  for (const link of body.querySelectorAll("sup.note a")) {
    link.setAttribute("href", link.getAttribute("href").replace("#note-", `#note-paste${pastes}-`));
  }
  const list = body.querySelector("ol.notes");
  const items = [...(list?.children ?? [])];
  for (const item of items) item.id = item.id.replace("note-", `note-paste${pastes}-`);
  list?.remove();
  return items;
};

// Open the slice at both ends, so that inline text joins its paragraph, but not tables or figures.
const openTo = (slice) => {
  const depth = (side) => {
    let open = 0;
    let node = slice.content[side];
    const most = side === "firstChild" ? slice.openStart : slice.openEnd;
    while (node && open < most && !node.type.spec.isolating) {
      open += 1;
      node = node[side];
    }
    return open;
  };
  return new pm.model.Slice(slice.content, depth("firstChild"), depth("lastChild"));
};

const show = (status, text, messages) => {
  status.replaceChildren();
  if (!messages.length) return;
  const items = messages.filter(Boolean).map((textContent) => crel("li", { textContent }));
  status.append(crel("p", { textContent: text }), ...(items.length ? [crel("ul", null, items)] : []));
};
