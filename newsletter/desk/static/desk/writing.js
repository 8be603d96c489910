// The text of an article in one language: saved as it is typed, kept in this browser until it is saved,
// and never lost to a newer text, an ended session, a dead browser or a click on a link (I1).
import { same, setValues, valuesOf } from "./form_values.js";
import { KeptCopy } from "./kept_copy.js";
import { startPresence } from "./presence.js";
import { signInAgain } from "./sign_in.js";

const PAUSE = 1500; // milliseconds after the last key
const LONGEST = 10_000; // but save at least this often while somebody types without a pause
const RETRY = 10_000;
const CHOSEN = ["state", "up_to_date"]; // saved on request only

const form = document.querySelector("form[data-writing]");
const facts = document.querySelector("form#facts");
const state = document.querySelector("[data-savestate]");
const copy = new KeptCopy(form.dataset.key);
const autosaves = form.dataset.autosaves === "yes";

let saved = valuesOf(form); // what the server has
let firstUnsavedAt = 0;
let timer = 0;
let saving = null;
let isPaused = false;
let isLeaving = false;
let isSigningIn = false;

const clock = (at = new Date()) =>
  at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const textOf = (values) =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !CHOSEN.includes(name)));
const isDirty = () => !same(saved, valuesOf(form));
const hasNewText = () => !same(textOf(saved), textOf(valuesOf(form)));

const TONES = { saved: "good", paused: "warn", offline: "warn", invalid: "bad", large: "bad" };
const say = (what, time = clock()) => {
  const tone = TONES[what] ?? "plain";
  state.className = `savestate savestate--${tone}`;
  for (const icon of state.querySelectorAll("[data-for]")) icon.hidden = !icon.dataset.for.split(" ").includes(tone);
  state.dataset.now = what;
  state.querySelector("[data-said]").textContent =
    state.getAttribute(`data-said-${what}`).replace("{time}", time);
};
const problem = (text) => {
  const place = document.querySelector("[data-problem]");
  place.hidden = !text;
  place.textContent = text;
  if (text) place.scrollIntoView({ block: "nearest" });
};

// --- Autosave ------------------------------------------------------------------------------------
const schedule = (delay = PAUSE) => {
  if (!autosaves || isPaused) return;
  clearTimeout(timer);
  firstUnsavedAt ||= Date.now();
  const latest = firstUnsavedAt + LONGEST - Date.now();
  timer = setTimeout(save, Math.max(0, Math.min(delay, latest)));
};

const save = async () => {
  clearTimeout(timer);
  if (saving) return saving;
  if (!autosaves || isPaused || isSigningIn || isLeaving || !hasNewText()) return;
  saving = attempt().finally(() => {
    saving = null;
    firstUnsavedAt = 0;
  });
  await saving;
  if (state.dataset.now === "saved" && hasNewText()) schedule();
};

const attempt = async () => {
  const sent = valuesOf(form);
  if (isTooLarge()) return say("large");
  say("saving");
  let response;
  try {
    response = await fetch(form.dataset.autosaveUrl, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout(30_000),
    });
  } catch {
    return offline();
  }
  const isJson = response.headers.get("Content-Type")?.includes("json");
  if (response.status === 401 || (response.status === 403 && !isJson)) return signedOut();
  if (!isJson) return offline();
  const answer = await response.json();
  if (response.ok) return wasSaved(sent, answer);
  if (response.status === 409) return pause(answer.message);
  if (response.status === 422) return invalid(answer.errors);
  say("paused");
  isPaused = true;
  problem(answer.message);
};

const wasSaved = (sent, { revision, at }) => {
  const before = form.elements.base.value;
  form.elements.base.value = revision;
  saved = { ...saved, ...textOf(sent) };
  if (isDirty()) copy.keep(revision, valuesOf(form));
  if (String(revision) !== before || !isDirty()) copy.drop(before);
  if (!isDirty()) copy.drop(revision);
  clearErrors();
  say("saved", at);
};

const offline = () => {
  say("offline");
  setTimeout(() => { firstUnsavedAt = 0; schedule(0); }, RETRY);
};

const signedOut = async () => {
  say("paused");
  isSigningIn = true;
  const isSignedIn = await signInAgain(form.dataset.signInUrl);
  isSigningIn = false;
  if (!isSignedIn) return say("paused");
  say(isDirty() ? "unsaved" : "saved");
  setTimeout(() => { saving = null; schedule(0); });
};

const pause = (message) => {
  isPaused = true;
  say("paused");
  const notice = document.querySelector("[data-newer]");
  notice.querySelector("[data-newer-said]").textContent = message;
  notice.hidden = false;
};

const clearErrors = () => form.querySelectorAll("[data-autosave-error]").forEach((each) => each.remove());
const invalid = (errors) => {
  say("invalid");
  clearErrors();
  for (const [name, messages] of Object.entries(errors)) {
    const field = document.querySelector(`.field-${CSS.escape(name)}`) ?? form;
    const line = document.createElement("p");
    line.className = "field-error";
    line.dataset.autosaveError = "";
    line.textContent = messages.join(" ");
    field.querySelector("label")?.after(line);
  }
};

const isTooLarge = () => {
  const size = new TextEncoder().encode(new URLSearchParams(valuesOf(form)).toString()).length;
  return size > Number(form.dataset.maxBytes) * 0.95;
};

// --- Typing, saving and leaving --------------------------------------------------------------------
let copyTimer = 0;
const changed = () => {
  if (isLeaving) return;
  clearTimeout(copyTimer);
  copyTimer = setTimeout(keepCopy, 300);
  if (!isDirty()) return;
  if (!isPaused && !isSigningIn && state.dataset.now !== "saving") say("unsaved");
  if (hasNewText()) schedule();
};
const keepCopy = () => {
  if (isDirty()) copy.keep(form.elements.base.value, valuesOf(form));
};
document.addEventListener("input", (event) => { if (event.target.form === form) changed(); });
document.addEventListener("change", (event) => { if (event.target.form === form) changed(); });
addEventListener("pagehide", keepCopy);
addEventListener("online", () => schedule(0));

form.addEventListener("submit", (event) => {
  if (saving) {
    // Its answer names the revision on top of which this save belongs.
    event.preventDefault();
    const button = event.submitter;
    saving.then(() => form.requestSubmit(button));
    return;
  }
  const refusal = facts?.isDirty?.() ? form.dataset.saidFacts : "";
  problem(refusal);
  if (!refusal && !isTooLarge()) {
    copy.keep(form.elements.base.value, valuesOf(form), { isSubmitted: true });
    isLeaving = true;
    return;
  }
  event.preventDefault();
  if (!refusal) say("large");
});

// Saving the facts reloads the page, so a text that was not saved goes first or stops it.
facts?.addEventListener("submit", (event) => {
  if (!isDirty()) { isLeaving = true; return; }
  event.preventDefault();
  event.stopImmediatePropagation();
  const button = event.submitter;
  save().then(() => {
    if (isDirty()) problem(form.dataset.saidText);
    else facts.requestSubmit(button);
  });
}, { capture: true });

addEventListener("beforeunload", (event) => {
  if (isLeaving || !isDirty()) return;
  keepCopy();
  event.preventDefault();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) isLeaving = false;
});

// --- A copy from an earlier visit ------------------------------------------------------------------
const offerCopy = () => {
  const address = new URL(location.href);
  const savedFrom = address.searchParams.get("saved_from");
  if (savedFrom !== null) {
    address.searchParams.delete("saved_from");
    history.replaceState(history.state, "", address);
  }
  const found = copy.newest();
  if (!found) return;
  const wasSavedNow = found.isSubmitted && found.revision === savedFrom;
  if (wasSavedNow || same(found.values, saved)) return copy.dropAll();
  const notice = document.querySelector("[data-restore]");
  const line = notice.querySelector("[data-restore-said]");
  // The page brings the months: Chromium has no Belarusian ones.
  const day = new Date(found.at);
  const at = `${day.getDate()} ${line.dataset.months.split(" ")[day.getMonth()]}, ${clock(day)}`;
  line.textContent = line.dataset.restoreSaid.replace("{time}", at);
  notice.querySelector("[data-restore-do]").onclick = () => {
    // On top of the revision it was typed on: if that is no longer the newest, both are shown.
    form.elements.base.value = found.revision;
    setValues(form, found.values);
    notice.hidden = true;
  };
  notice.querySelector("[data-restore-drop]").onclick = () => {
    copy.dropAll();
    notice.hidden = true;
  };
  notice.hidden = false;
};

// The editor names itself after its label, as the hidden textarea does.
const nameEditor = () => {
  const surface = form.querySelector(".field-body .tiptap");
  surface?.setAttribute("aria-labelledby", "id_body_label");
  surface?.setAttribute("lang", form.elements.headline.lang);
};
document.addEventListener("prose-editor:ready", nameEditor);
nameEditor();

KeptCopy.dropOld();
offerCopy();
startPresence({
  form,
  onSignedOut: signedOut,
  onNewer: ({ by }) => { if (!saving) pause(form.dataset.saidNewer.replace("{name}", by)); },
});
// A page that came back with errors has text that nobody has saved.
if (document.querySelector(".field-error")) saved = {};
