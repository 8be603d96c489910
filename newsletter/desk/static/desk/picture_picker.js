// The article's picture. Its value stays in the <select>, which is hidden while this script runs.
import { PictureDialog, fetchHtml } from "./picture_dialog.js";

class Picker {
  constructor(root) {
    this.root = root;
    this.select = root.querySelector("select");
    this.chosen = root.querySelector(".picture-chosen");
    this.opener = root.querySelector(".picture-open");
    this.remover = root.querySelector(".picture-remove");
    this.dialog = new PictureDialog(root.querySelector("dialog"));
    this.shown = this.select.value;
    this.#start();
  }

  #start() {
    this.select.hidden = true;
    this.root.querySelector(".picture-buttons").hidden = false;
    // The label names the list, which is hidden. The button keeps its own name, which says more.
    const label = document.querySelector(`label[for="${this.select.id}"]`);
    label?.addEventListener("click", () => this.opener.focus());
    this.opener.addEventListener("click", () => this.#open());
    this.remover.addEventListener("click", () => {
      this.#set("", "");
      this.opener.focus();
    });
    // The page for uploading a picture changes the list through jQuery, which others don't hear.
    if (window.django?.jQuery) window.django.jQuery(this.select).on("change", () => this.#follow());
    else this.select.addEventListener("change", () => this.#follow());
  }

  async #open() {
    const option = await this.dialog.open({ chosen: this.select.value });
    if (!option) return;
    this.#set(option.dataset.id, option.dataset.label, option.querySelector(".picture-facts"));
    this.opener.focus();
  }

  #set(id, label, facts = null) {
    if (id && ![...this.select.options].some((option) => option.value === id)) {
      this.select.append(new Option(label, id));
    }
    this.select.value = this.shown = id;
    this.#show(facts);
    this.select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #show(facts) {
    this.chosen.replaceChildren(...(facts ? [facts.cloneNode(true)] : []));
    this.remover.hidden = !this.select.value;
  }

  // Something else changed the list: show the picture that it names now.
  async #follow() {
    const id = this.select.value;
    if (id === this.shown) return;
    this.shown = id;
    let facts = null;
    try {
      if (id) facts = (await fetchHtml(this.dialog.element.dataset.url, { id })).querySelector(".picture-facts");
    } catch {
      facts = document.createElement("span");
      facts.textContent = this.select.selectedOptions[0]?.textContent ?? "";
    }
    if (id === this.select.value) this.#show(facts);
  }
}

for (const root of document.querySelectorAll(".picture-picker")) new Picker(root);
