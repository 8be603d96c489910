// The picture dialog. The value stays in the <select>, which is hidden while this script runs.
const SEARCH_DELAY = 250;

class Picker {
  constructor(root) {
    this.root = root;
    this.select = root.querySelector("select");
    this.chosen = root.querySelector(".picture-chosen");
    this.opener = root.querySelector(".picture-open");
    this.remover = root.querySelector(".picture-remove");
    this.dialog = root.querySelector("dialog");
    this.search = this.dialog.querySelector("input");
    this.grid = this.dialog.querySelector(".picture-grid");
    this.status = this.dialog.querySelector(".picture-status");
    this.more = this.dialog.querySelector(".picture-more");
    this.failed = this.dialog.querySelector(".picture-failed");
    this.shown = this.select.value;
    this.latest = 0;
    this.#start();
  }

  #start() {
    // Outside the form: what is typed into the search is no edit of the article.
    document.body.append(this.dialog);
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
    this.dialog.querySelector(".picture-close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => {
      const option = event.target.closest(".picture-option");
      if (option) this.#choose(option);
      else if (event.target === this.dialog) this.dialog.close();
    });
    this.dialog.addEventListener("keydown", (event) => this.#move(event));
    this.search.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#load(1), SEARCH_DELAY);
    });
    this.more.addEventListener("click", () => this.#load(this.next));
    // The page for uploading a picture changes the list through jQuery, which others don't hear.
    if (window.django?.jQuery) window.django.jQuery(this.select).on("change", () => this.#follow());
    else this.select.addEventListener("change", () => this.#follow());
  }

  #open() {
    this.search.value = "";
    this.dialog.showModal();
    this.search.focus();
    this.#load(1);
  }

  async #fetch(parameters) {
    const response = await fetch(`${this.root.dataset.url}?${new URLSearchParams(parameters)}`, {
      credentials: "same-origin",
    });
    // An expired session answers with the login page.
    if (!response.ok || response.redirected) throw new Error(String(response.status));
    const template = document.createElement("template");
    template.innerHTML = await response.text();
    return template.content;
  }

  async #load(page) {
    const turn = ++this.latest;
    let found;
    try {
      found = await this.#fetch({ q: this.search.value, page });
    } catch {
      if (turn === this.latest) this.failed.hidden = false;
      return;
    }
    if (turn !== this.latest) return; // a newer search is under way
    this.failed.hidden = true;
    const count = found.querySelector(".picture-count");
    const options = [...found.querySelectorAll(".picture-option")];
    for (const option of options) {
      option.setAttribute("aria-pressed", String(option.dataset.id === this.select.value));
    }
    this.status.textContent = count.textContent.trim();
    this.next = count.dataset.next;
    this.more.hidden = !this.next;
    if (page === 1) this.grid.replaceChildren(...options);
    else {
      this.grid.append(...options);
      options[0]?.focus();
    }
  }

  #choose(option) {
    this.#set(option.dataset.id, option.dataset.label, option.querySelector(".picture-facts"));
    this.dialog.close();
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
      if (id) facts = (await this.#fetch({ id })).querySelector(".picture-facts");
    } catch {
      facts = document.createElement("span");
      facts.textContent = this.select.selectedOptions[0]?.textContent ?? "";
    }
    if (id === this.select.value) this.#show(facts);
  }

  // Arrow keys move between the pictures; Enter in the search goes to the first one.
  #move(event) {
    const options = [...this.grid.querySelectorAll(".picture-option")];
    const index = options.indexOf(document.activeElement);
    if (event.key === "Enter" && event.target === this.search) {
      event.preventDefault();
      options[0]?.focus();
      return;
    }
    if (event.key === "ArrowDown" && event.target === this.search) {
      event.preventDefault();
      options[0]?.focus();
      return;
    }
    if (index < 0) return;
    const columns = options.filter((option) => option.offsetTop === options[0].offsetTop).length;
    const forward = getComputedStyle(this.grid).direction === "rtl" ? -1 : 1;
    const step = { ArrowRight: forward, ArrowLeft: -forward, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (!step) return;
    event.preventDefault();
    if (index + step < 0) this.search.focus();
    else options[Math.min(index + step, options.length - 1)].focus();
  }
}

for (const root of document.querySelectorAll(".picture-picker")) new Picker(root);
