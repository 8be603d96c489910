// Read and set what is written in a form. The rich-text editor keeps its textarea up to date and
// dispatches "input" on it; setting the textarea alone would not reach the editor.
const NOT_TEXT = new Set(["csrfmiddlewaretoken", "base", "source", "writer"]);

export const valuesOf = (form) => {
  const found = {};
  for (const [name, value] of new FormData(form)) if (!NOT_TEXT.has(name)) found[name] = value;
  return found;
};

export const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

export const setValues = (form, values) => {
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements.namedItem(name);
    if (!field) continue;
    if (field instanceof RadioNodeList || field.type !== "checkbox") field.value = value;
    else field.checked = true;
    if (!(field instanceof HTMLElement)) continue;
    const editor = field.closest(".prose-editor")?.querySelector(".tiptap")?.editor;
    if (editor) editor.commands.setContent(value);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
};
