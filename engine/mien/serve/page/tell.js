// What is told in words: to screen readers, and as notices that go away by themselves or by a button.

import { element, make, say } from "/page/dom.js";

const MOST = 3;
const STAYS_MS = 12_000;

/** Told when nothing else is being read. @param {string} text */
export const status = (text) => say(element("status"), text);

/** Told at once. @param {string} text */
export const alarm = (text) => say(element("alert"), text);

/** @param {string} text @param {"quiet" | "bad"} tone */
export function notice(text, tone = "quiet") {
  const list = element("notices");
  for (const old of list.children) if (old.firstChild?.textContent === text) old.remove();
  const close = make("button", { type: "button", class: "link", "aria-label": `Put away: ${text}` }, "Put away");
  const shown = make("p", { class: "notice", "data-tone": tone }, make("span", {}, text), close);
  close.addEventListener("click", () => shown.remove());
  list.append(shown);
  while (list.children.length > MOST) list.firstChild?.remove();
  if (tone === "quiet") setTimeout(() => shown.remove(), STAYS_MS);
}
