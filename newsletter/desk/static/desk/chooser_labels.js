// Select2 doesn't name its fields after their labels, so screen readers would say nothing.
addEventListener("load", () => {
  for (const select of document.querySelectorAll(".field select.admin-autocomplete")) {
    const label = document.querySelector(`label[for="${select.id}"]`);
    const box = select.parentElement.querySelector(".select2-container");
    if (!label || !box) continue;
    for (const part of box.querySelectorAll('[role="combobox"], [role="searchbox"], [role="textbox"], input, textarea')) {
      const shown = part.getAttribute("aria-labelledby") ?? "";
      label.id ||= `${select.id}_label`;
      part.setAttribute("aria-labelledby", `${label.id} ${shown}`.trim());
    }
  }
});
