// The dialog in which editors choose a picture, for an article and for a place in its text.
const SEARCH_DELAY = 250;
const loaded = new Map();

export const fetchHtml = async (url, parameters = {}) => {
  const response = await fetch(`${url}?${new URLSearchParams(parameters)}`, {
    credentials: "same-origin",
  });
  // An expired session answers with the login page.
  if (!response.ok || response.redirected) throw new Error(String(response.status));
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  return template.content;
};

// Return the page's dialog for a text. Its words come from the server, once for each page.
export const loadPictureDialog = (url) => {
  if (!loaded.has(url)) {
    const loading = fetchHtml(url).then((found) => new PictureDialog(found.querySelector("dialog")));
    loading.catch(() => loaded.delete(url));
    loaded.set(url, loading);
  }
  return loaded.get(url);
};

export class PictureDialog {
  constructor(element) {
    this.element = element;
    this.search = element.querySelector("input");
    this.grid = element.querySelector(".picture-grid");
    this.status = element.querySelector(".picture-status");
    this.more = element.querySelector(".picture-more");
    this.failed = element.querySelector(".picture-failed");
    this.latest = 0;
    this.#start();
  }

  // Return the option that was chosen, or null. `chosen` is the ID of the picture chosen so far,
  // and `language` that of the text in which its alt text and credit will stand.
  open({ chosen = "", language = "" } = {}) {
    this.chosen = chosen;
    this.language = language;
    this.picked = null;
    this.search.value = "";
    this.element.showModal();
    this.search.focus();
    this.#load(1);
    return new Promise((resolve) => {
      this.element.addEventListener("close", () => resolve(this.picked), { once: true });
    });
  }

  #start() {
    // Outside the form: typing a search doesn't change the article.
    document.body.append(this.element);
    this.element
      .querySelector(".picture-close")
      .addEventListener("click", () => this.element.close());
    this.element.addEventListener("click", (event) => {
      const option = event.target.closest(".picture-option");
      if (option) this.picked = option;
      if (option || event.target === this.element) this.element.close();
    });
    this.element.addEventListener("keydown", (event) => this.#move(event));
    this.search.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#load(1), SEARCH_DELAY);
    });
    this.more.addEventListener("click", () => this.#load(this.next));
  }

  async #load(page) {
    const turn = ++this.latest;
    const parameters = { q: this.search.value, page, language: this.language };
    let found;
    try {
      found = await fetchHtml(this.element.dataset.url, parameters);
    } catch {
      if (turn === this.latest) this.failed.hidden = false;
      return;
    }
    if (turn !== this.latest) return; // a newer search is under way
    this.failed.hidden = true;
    const count = found.querySelector(".picture-count");
    const options = [...found.querySelectorAll(".picture-option")];
    for (const option of options) {
      option.setAttribute("aria-pressed", String(this.#isChosen(option)));
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

  #isChosen({ dataset }) {
    return Boolean(this.chosen) && [dataset.id, dataset.src].includes(this.chosen);
  }

  // Arrow keys move between the pictures; Enter in the search goes to the first one.
  #move(event) {
    const options = [...this.grid.querySelectorAll(".picture-option")];
    const index = options.indexOf(document.activeElement);
    if (["Enter", "ArrowDown"].includes(event.key) && event.target === this.search) {
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
