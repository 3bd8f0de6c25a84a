// Light, dark, or as the system has it.

import { button } from "/page/dom.js";

const NEXT = /** @type {const} */ ({ system: "light", light: "dark", dark: "system" });
const WORDS = { system: "as the system", light: "light", dark: "dark" };

/** @returns {keyof typeof NEXT} */
function present() {
  const theme = document.documentElement.dataset.theme;
  return theme === "light" || theme === "dark" ? theme : "system";
}

/** @param {keyof typeof NEXT} theme */
function choose(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("mien.theme", theme);
  } catch {
    // kept until the page is left
  }
}

/** Let the button go round the three; `changed` is called after each. @param {() => void} changed */
export function setUpTheme(changed) {
  const toggle = button("theme-button");
  const show = () => {
    toggle.setAttribute("aria-label", `Theme: ${WORDS[present()]}`);
    toggle.title = `Theme: ${WORDS[present()]}`;
    changed();
  };
  toggle.addEventListener("click", () => {
    choose(NEXT[present()]);
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
}
