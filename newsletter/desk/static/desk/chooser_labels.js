// Select2 doesn't name its fields after their labels, so screen readers would say nothing.
const nameChoosers = () => {
  for (const select of document.querySelectorAll(".field select.admin-autocomplete")) {
    const label = document.querySelector(`label[for="${select.id}"]`);
    const box = select.parentElement.querySelector(".select2-container");
    if (!label || !box) continue;
    label.id ||= `${select.id}_label`;
    for (const part of box.querySelectorAll("[role=combobox], [role=searchbox], [role=textbox]")) {
      const shown = part.getAttribute("aria-labelledby") ?? "";
      part.setAttribute("aria-labelledby", `${label.id} ${shown}`.trim());
    }
  }
};
// After the callback that sets Select2 up, which was registered before.
window.django?.jQuery?.(nameChoosers);
