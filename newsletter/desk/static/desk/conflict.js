// The server has the text by now, so the copy in this browser is no longer needed.
import { KeptCopy } from "./kept_copy.js";

const form = document.querySelector("[data-conflict]");
new KeptCopy(form.dataset.conflict).dropAll();
let isDirty = false;
form.addEventListener("input", () => { isDirty = true; });
form.addEventListener("submit", () => { isDirty = false; });
addEventListener("beforeunload", (event) => { if (isDirty) event.preventDefault(); });
