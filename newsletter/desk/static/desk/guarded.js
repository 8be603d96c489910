// Leaving a page asks first if one of its other forms has been filled in and not submitted.
import { same, valuesOf } from "./form_values.js";

for (const form of document.querySelectorAll("form[data-guarded], #issue_form")) {
  let before = valuesOf(form);
  let isLeaving = false;
  // Widgets such as the chooser of an issue set themselves up after this script.
  addEventListener("load", () => { before = valuesOf(form); });
  form.isDirty = () => !isLeaving && !same(before, valuesOf(form));
  form.addEventListener("submit", (event) => { isLeaving = !event.defaultPrevented; });
  addEventListener("beforeunload", (event) => { if (form.isDirty()) event.preventDefault(); });
  addEventListener("pageshow", () => { isLeaving = false; });
}
