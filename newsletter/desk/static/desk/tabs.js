// Language tabs after the WAI-ARIA pattern. Without this file all panels stand in a column.
// A module runs once, however many groups the page has.
for (const group of document.querySelectorAll(".language-tabs")) {
  const strip = group.querySelector(".tab-strip");
  const tabs = [...strip.querySelectorAll("[role=tab]")];
  const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
  const show = (chosen) => {
    for (const tab of tabs) {
      const open = tab === chosen;
      tab.setAttribute("aria-selected", String(open));
      tab.tabIndex = open ? 0 : -1;
      panel(tab).hidden = !open;
    }
  };
  for (const [place, tab] of tabs.entries()) {
    panel(tab).setAttribute("role", "tabpanel");
    panel(tab).setAttribute("aria-labelledby", tab.id);
    panel(tab).querySelector("h3").hidden = true;
    tab.addEventListener("click", () => show(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(place + step + tabs.length) % tabs.length];
      show(next);
      next.focus();
    });
  }
  strip.hidden = false;
  const first = tabs.find((tab) => tab.classList.contains("has-errors")) ?? tabs[0];
  if (first) show(first);
}
