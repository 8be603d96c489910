// The page: says whether something is unsaved, counts subjects, and saves the order at once.
// Without it, each button posts the whole form, and the server does the same.
import { sortable } from "./sortable.js";

const form = document.getElementById("issue-form");
const own = new Set(["csrfmiddlewaretoken", "base", "token", "seen"]);
const typed = () =>
  JSON.stringify([...new FormData(form)].filter(([name]) => !own.has(name)));

// A page that came back with an error or a conflict holds what was typed, and that isn't saved.
const failed = form.querySelector(".field-error, #conflict") !== null;
let saved = typed();
let submitting = false;
const isChanged = () => failed || typed() !== saved;

const state = form.querySelector(".savestate");
const showState = () => {
  const changed = isChanged();
  state.classList.toggle("is-changed", changed);
  const text = changed ? state.dataset.changed : state.dataset.saved;
  if (state.textContent !== text) state.textContent = text;
};
for (const name of ["input", "change", "keyup"]) form.addEventListener(name, showState);
// The rich-text editor tidies its value when it starts, which is nobody's edit.
window.addEventListener("load", () => setTimeout(() => {
  if (!form.contains(document.activeElement)) saved = typed();
  showState();
}, 300));

// Without a session the post would end at the sign-in page, and what was typed would be lost.
const isSignedIn = async () => {
  const answer = await fetch(location.href, { method: "HEAD", redirect: "manual" });
  return answer.ok;
};
const refreshToken = async () => {
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  const fresh = page.querySelector("#issue-form [name=csrfmiddlewaretoken]");
  if (fresh) form.elements.csrfmiddlewaretoken.value = fresh.value;
};
const notice = document.getElementById("signed-out");
form.addEventListener("submit", async (event) => {
  if (submitting) return;
  event.preventDefault();
  let signedIn;
  try {
    signedIn = await isSignedIn();
    if (signedIn && !notice.hidden) await refreshToken();
  } catch {
    signedIn = false; // offline: nothing would arrive
  }
  notice.hidden = signedIn;
  if (!signedIn) {
    notice.focus();
    return;
  }
  submitting = true;
  form.requestSubmit(event.submitter);
});
window.addEventListener("pageshow", () => { submitting = false; });
window.addEventListener("beforeunload", (event) => {
  if (!submitting && isChanged()) {
    event.preventDefault();
    event.returnValue = form.dataset.unsaved;
  }
});

for (const count of form.querySelectorAll("[data-count]")) {
  const input = document.getElementById(count.dataset.count);
  const [, limit] = count.textContent.match(/\d+\D+(\d+)/);
  const show = () => {
    count.textContent = count.textContent.replace(/\d+/, String([...input.value].length));
    count.classList.toggle("is-long", [...input.value].length > Number(limit));
  };
  input.addEventListener("input", show);
  show();
}

// --- The order ---
const panel = document.getElementById("order");
const list = panel.querySelector("ol.order");
const message = document.getElementById("order-message");
const rows = () => [...list.children];
const ids = () => rows().map((row) => row.dataset.article).join(",");
const say = (text, bad) => {
  message.textContent = text;
  message.classList.toggle("is-bad", Boolean(bad));
};
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const number = () => {
  const all = rows();
  all.forEach((row, index) => {
    row.querySelector(".pos").textContent = index + 1;
    row.querySelector("[value^=up]").disabled = index === 0;
    row.querySelector("[value^=down]").disabled = index === all.length - 1;
  });
};
const arrange = (order) => {
  const byId = new Map(rows().map((row) => [row.dataset.article, row]));
  for (const id of order) if (byId.has(id)) list.append(byId.get(id));
  number();
};

// One request at a time, so that a quick second move is based on the first.
let waiting = Promise.resolve();
const store = (row) => {
  number();
  waiting = waiting.then(() => post(row));
};
const post = async (row) => {
  const seen = form.elements.seen.value;
  const order = ids();
  if (order === seen) return;
  const body = new FormData();
  for (const name of ["csrfmiddlewaretoken", "token", "seen"]) body.set(name, form.elements[name].value);
  body.set("order", order);
  body.set("moved", row.dataset.article);
  let answer, data;
  try {
    answer = await fetch(panel.dataset.url, { method: "POST", body, headers: { Accept: "application/json" } });
    data = await answer.json();
  } catch {
    arrange(seen.split(","));
    say(panel.dataset.failed, true);
    return;
  }
  if (answer.status === 409) {
    const stored = data.order.map(String);
    arrange(stored);
    form.elements.seen.value = stored.join(",");
    say(`${data.message} ${panel.dataset.stale}`, true);
    return;
  }
  form.elements.seen.value = order;
  form.elements.token.value = data.token;
  const position = rows().indexOf(row) + 1;
  say(fill(panel.dataset.moved, { article: row.dataset.name, position, count: rows().length }));
};

if (list.children.length) {
  list.classList.add("is-scripted");
  sortable(list, ".grip", store);
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button[value^=up], button[value^=down]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("li");
    if (button.value.startsWith("up")) row.previousElementSibling?.before(row);
    else row.nextElementSibling?.after(row);
    store(row);
    // A button at either end is disabled, and would lose the focus.
    (button.disabled ? row.querySelector(".moves button:not(:disabled)") : button).focus();
    row.scrollIntoView({ block: "nearest" });
  });
}
showState();
document.getElementById("conflict")?.querySelector("input").focus();
