// Elements that newsletter/digest/rich_text/table.py allows and django-prose-editor doesn't know:
// the source of a quotation, the caption of a table, a credit, and the language of a passage.
import {
  Blockquote as BaseBlockquote,
  Document as BaseDocument,
  Extension,
  Mark,
  Node,
  Table as BaseTable,
  gettext,
  pm,
  updateAttrsDialog,
} from "django-prose-editor/editor";

export const Document = BaseDocument.extend({ content: "block+ notes?" });

export const Blockquote = BaseBlockquote.extend({ content: "block+ quoteSource?" });

export const QuoteSource = Node.create({
  name: "quoteSource",
  content: "inline*",
  parseHTML: () => [{ tag: "footer" }],
  renderHTML: () => ["footer", 0],
  addCommands() {
    return {
      addQuoteSource:
        () =>
        ({ state, tr, dispatch }) => {
          const { $from } = state.selection;
          for (let depth = $from.depth; depth > 0; depth--) {
            const node = $from.node(depth);
            if (node.type.name !== "blockquote") continue;
            if (node.lastChild.type === this.type) return false;
            if (dispatch) {
              const end = $from.end(depth);
              tr.insert(end, this.type.create());
              tr.setSelection(pm.state.TextSelection.create(tr.doc, end + 1)).scrollIntoView();
            }
            return true;
          }
          return false;
        },
    };
  },
  addMenuItems({ menu, buttons }) {
    menu.defineItem({
      name: "quoteSource",
      groups: "nodes",
      priority: 90,
      button: buttons.material("person", "Source of the quotation"),
      hidden: (editor) => !editor.isActive("blockquote"),
      enabled: (editor) => editor.can().addQuoteSource(),
      command: (editor) => editor.chain().focus().addQuoteSource().run(),
    });
  },
});

const newTableDialog = updateAttrsDialog(
  {
    rows: { title: gettext("Rows"), format: "number", default: "3", min: "1", max: "100" },
    cols: { title: gettext("Columns"), format: "number", default: "3", min: "1", max: "100" },
    withHeaderRow: { type: "boolean", title: gettext("Include header row") },
    caption: { title: gettext("Caption") },
  },
  { title: gettext("Insert table"), submitText: gettext("Insert") },
);
const captionDialog = updateAttrsDialog(
  { caption: { title: gettext("Caption") } },
  { title: gettext("Caption of the table") },
);

// The caption is plain text. The editor keeps it as an attribute, and cleaning makes it an element.
export const Table = BaseTable.extend({
  parseHTML() {
    return [...this.parent(), { tag: "caption", ignore: true }];
  },
  addAttributes() {
    return {
      ...this.parent?.(),
      caption: {
        default: null,
        parseHTML: (element) =>
          element.querySelector(":scope > caption")?.textContent ||
          element.getAttribute("data-caption"),
        renderHTML: ({ caption }) => (caption ? { "data-caption": caption } : {}),
      },
    };
  },
  addCommands() {
    return {
      ...this.parent?.(),
      insertTableWithOptions:
        () =>
        ({ editor }) => {
          newTableDialog(editor, { rows: "3", cols: "3", withHeaderRow: true }).then((chosen) => {
            if (!chosen) return;
            const rows = Number.parseInt(chosen.rows, 10) || 3;
            const cols = Number.parseInt(chosen.cols, 10) || 3;
            const chain = editor.chain().focus();
            chain.insertTable({ rows, cols, withHeaderRow: chosen.withHeaderRow });
            chain.updateAttributes("table", { caption: chosen.caption.trim() || null }).run();
          });
          return true;
        },
      editTableCaption:
        () =>
        ({ editor }) => {
          captionDialog(editor, editor.getAttributes("table")).then((chosen) => {
            if (!chosen) return;
            const caption = chosen.caption.trim() || null;
            editor.chain().focus().updateAttributes("table", { caption }).run();
          });
          return true;
        },
    };
  },
  addMenuItems(storage) {
    this.parent(storage);
    storage.menu.defineItem({
      name: "table:caption",
      groups: "table",
      button: storage.buttons.material("subtitles", "Caption of the table"),
      hidden: (editor) => !editor.isActive("table"),
      command: (editor) => editor.commands.editTableCaption(),
    });
  },
});

export const Credit = Mark.create({
  name: "credit",
  parseHTML: () => [{ tag: "small" }],
  renderHTML: () => ["small", 0],
  addMenuItems({ menu, buttons }) {
    menu.defineItem({
      name: "credit",
      groups: "marks",
      button: buttons.material("copyright", "Credit of the picture"),
      hidden: (editor) => !editor.isActive("caption"),
      active: (editor) => editor.isActive("credit"),
      enabled: (editor) => editor.can().toggleMark("credit"),
      command: (editor) => editor.chain().focus().toggleMark("credit").run(),
    });
  },
});

const languageDialog = updateAttrsDialog(
  {
    lang: {
      title: gettext("Language code"),
      description: gettext("For example en, pl or de. Leave it empty to remove the language."),
    },
  },
  { title: gettext("Language of the passage") },
);

export const Language = Mark.create({
  name: "language",
  addAttributes: () => ({
    lang: {
      default: null,
      parseHTML: (element) => element.getAttribute("lang"),
      renderHTML: ({ lang }) => ({ lang }),
    },
  }),
  parseHTML: () => [{ tag: "span[lang]" }],
  renderHTML: ({ HTMLAttributes }) => ["span", HTMLAttributes, 0],
  addMenuItems({ menu, buttons }) {
    menu.defineItem({
      name: "language",
      groups: "marks",
      priority: 90,
      button: buttons.material("translate", "Language of the passage"),
      active: (editor) => editor.isActive("language"),
      enabled: (editor) => !editor.state.selection.empty || editor.isActive("language"),
      command: (editor) => {
        languageDialog(editor, editor.getAttributes("language")).then((chosen) => {
          if (!chosen) return;
          const lang = chosen.lang.trim().toLowerCase();
          const chain = editor.chain().focus().extendMarkRange("language");
          (lang ? chain.setMark("language", { lang }) : chain.unsetMark("language")).run();
        });
      },
    });
  },
});

// The language of a whole paragraph or heading.
export const Passage = Extension.create({
  name: "passage",
  addGlobalAttributes: () => [
    {
      types: ["paragraph", "heading"],
      attributes: {
        lang: {
          default: null,
          parseHTML: (element) => element.getAttribute("lang"),
          renderHTML: ({ lang }) => (lang ? { lang } : {}),
        },
      },
    },
  ],
});
