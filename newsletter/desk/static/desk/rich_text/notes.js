// Footnotes: references in the text, and their texts in a list at the end. They are numbered by the
// order of their references, as cleaning does it (newsletter/digest/rich_text/notes.py).
import { Node, Plugin, pm } from "django-prose-editor/editor";

const PREFIX = "note-";
const keyOf = (url) => (url ?? "").replace(/^#?note-/, "");

export const NoteReference = Node.create({
  name: "noteReference",
  group: "inline",
  inline: true,
  atom: true,
  addAttributes: () => ({
    key: {
      default: "1",
      parseHTML: (element) => keyOf(element.querySelector("a")?.getAttribute("href")),
      rendered: false,
    },
  }),
  parseHTML: () => [{ tag: "sup.note", priority: 70 }],
  renderHTML: ({ node }) => [
    "sup",
    { class: "note" },
    ["a", { href: `#${PREFIX}${node.attrs.key}` }, node.attrs.key],
  ],
});

export const Note = Node.create({
  name: "note",
  content: "paragraph+",
  isolating: true,
  addAttributes: () => ({
    key: {
      default: "1",
      parseHTML: (element) => keyOf(element.id),
      renderHTML: ({ key }) => ({ id: `${PREFIX}${key}` }),
    },
  }),
  parseHTML: () => [{ tag: `li[id^=${PREFIX}]`, priority: 70 }],
  renderHTML: ({ HTMLAttributes }) => ["li", HTMLAttributes, 0],
});

export const Notes = Node.create({
  name: "notes",
  content: "note+",
  isolating: true,
  parseHTML: () => [{ tag: "ol.notes", priority: 70 }],
  renderHTML: () => ["ol", { class: "notes" }, 0],

  addCommands() {
    return {
      addNote:
        () =>
        ({ editor, state, tr, dispatch }) => {
          const { schema, selection } = state;
          if (isInNotes(selection.$from)) return false;
          if (!selection.$from.parent.type.inlineContent) return false;
          if (dispatch) {
            const key = `new${Date.now()}`;
            const position = selection.to;
            tr.insert(position, schema.nodes.noteReference.create({ key }));
            const note = schema.nodes.note.create({ key }, schema.nodes.paragraph.create());
            appendNotes(tr, schema, [note]);
            // The number is known when this transaction is through.
            queueMicrotask(() => goToNote(editor, position));
          }
          return true;
        },
    };
  },

  addMenuItems({ menu, buttons }) {
    menu.defineItem({
      name: "note",
      groups: "link",
      button: buttons.material("note_add", "Insert footnote"),
      enabled: (editor) => editor.can().addNote(),
      command: (editor) => editor.chain().focus().addNote().run(),
    });
  },

  addProseMirrorPlugins() {
    return [
      new Plugin({
        appendTransaction: (transactions, _before, state) =>
          transactions.some((each) => each.docChanged) ? renumber(state) : null,
      }),
    ];
  },
});

const isInNotes = ($position) => {
  for (let depth = $position.depth; depth > 0; depth--) {
    if ($position.node(depth).type.name === "notes") return true;
  }
  return false;
};

const goToNote = (editor, position) => {
  const reference = editor.state.doc.nodeAt(position);
  if (reference?.type.name !== "noteReference") return;
  editor.state.doc.descendants((node, at) => {
    if (node.type.name === "note" && node.attrs.key === reference.attrs.key) {
      editor.chain().focus().setTextSelection(at + 2).scrollIntoView().run();
    }
  });
};

// Add footnotes to the list at the end of the transaction's document.
const appendNotes = (tr, schema, notes) => {
  const last = tr.doc.lastChild;
  if (last?.type.name === "notes") tr.insert(tr.doc.content.size - 1, notes);
  else tr.insert(tr.doc.content.size, schema.nodes.notes.create(null, notes));
};

const find = (doc) => {
  const references = [];
  let list = null;
  doc.descendants((node, position) => {
    if (node.type.name === "noteReference") references.push({ node, position });
    if (node.type.name === "notes") list = { node, position };
  });
  return { references, list };
};

// Return a transaction that numbers references and footnotes, or null if they are numbered.
const renumber = (state) => {
  const { references, list } = find(state.doc);
  const notes = list ? list.node.content.content : [];
  const numbers = new Map();
  for (const { node } of references) {
    if (!numbers.has(node.attrs.key)) numbers.set(node.attrs.key, String(numbers.size + 1));
  }
  const isNeeded = (note) => numbers.has(note.attrs.key) || note.textContent.trim();
  const kept = notes.filter(isNeeded);
  for (const note of kept) {
    if (!numbers.has(note.attrs.key)) numbers.set(note.attrs.key, String(numbers.size + 1));
  }
  const isNumbered = ({ node }) => numbers.get(node.attrs.key) === node.attrs.key;
  const ordered = kept.every((note, n) => note.attrs.key === String(n + 1));
  if (references.every(isNumbered) && kept.length === notes.length && (!list || ordered)) {
    return null;
  }
  const tr = state.tr;
  for (const { node, position } of references) {
    tr.setNodeMarkup(position, null, { key: numbers.get(node.attrs.key) });
  }
  if (!list) return tr;
  const renamed = kept
    .map((note) => note.type.create({ key: numbers.get(note.attrs.key) }, note.content))
    .sort((a, b) => Number(a.attrs.key) - Number(b.attrs.key));
  const { position, node } = list;
  const end = position + node.nodeSize;
  if (renamed.length) tr.replaceWith(position + 1, end - 1, pm.model.Fragment.from(renamed));
  else tr.delete(position, end);
  return tr.docChanged ? tr : null;
};
