// The editor writes its buttons in English. This menu puts them into the language of the desk.
import { Menu as BaseMenu, gettext } from "django-prose-editor/editor";

const translateButton = (button) => {
  if (!button.title) return;
  const title = gettext(button.title);
  button.title = title;
  button.setAttribute("aria-label", title);
};

const translateOption = (option) => {
  option.textContent = gettext(option.textContent);
};

export const Menu = BaseMenu.extend({
  onCreate(event) {
    this.parent?.(event);
    // Those in the menu include copies of the buttons, made for the current kind of block.
    const buttons = new Set(this.storage.dom.querySelectorAll("button[title]"));
    for (const { button, option } of Object.values(this.storage._definedItems)) {
      if (button) buttons.add(button);
      if (option) translateOption(option);
    }
    buttons.forEach(translateButton);
  },
});
