// Language tabs, following the WAI-ARIA pattern. Without JavaScript all panels are shown in a column.
// A module runs only once, even if the page has several groups and includes it for each.
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
  for (const [index, tab] of tabs.entries()) {
    panel(tab).setAttribute("role", "tabpanel");
    panel(tab).setAttribute("aria-labelledby", tab.id);
    panel(tab).querySelector("h3").hidden = true;
    tab.addEventListener("click", () => show(tab));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(index + step + tabs.length) % tabs.length];
      show(next);
      next.focus();
    });
  }
  strip.hidden = false;
  const first = tabs.find((tab) => tab.classList.contains("has-errors")) ?? tabs[0];
  if (first) show(first);
}
