// List what matches while somebody types. Without it, the form's button does the same.
const form = document.getElementById("find-form");
let latest = 0;
let timer;
const find = async () => {
  const current = ++latest;
  const url = new URL(form.action || location.href, location.href);
  url.search = new URLSearchParams(new FormData(form)).toString();
  const answer = await fetch(url, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.getElementById("found");
  if (current !== latest || !found) return; // typed on, or signed out: the button says more
  document.getElementById("found").replaceWith(document.adoptNode(found));
  history.replaceState(null, "", url);
};
form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(find, 250);
});
// Keep the cursor behind what was typed before.
const field = form.elements.q;
field.setSelectionRange(field.value.length, field.value.length);
