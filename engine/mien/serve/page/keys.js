// Single keys, the same as in the terminal, and the list that tells them.

import { button, element, input, make } from "/page/dom.js";
import { kept } from "/page/kept.js";

/** @typedef {{key: string, name: string, act: () => void}} Key */

/** Keys typed into what takes text, or together with others, are not ours. @param {KeyboardEvent} event */
function isOurs(event) {
  const target = event.target;
  const typing = target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && !["range", "checkbox", "radio"].includes(target.type));
  return !typing && !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat && !document.querySelector("dialog[open]");
}

/** @param {Key[]} keys */
export function setUpKeys(keys) {
  const dialog = /** @type {HTMLDialogElement} */ (element("keys-dialog"));
  const check = input("keys-check");
  check.checked = kept.get("keys") ?? true;
  check.addEventListener("change", () => kept.set("keys", check.checked));
  const all = [...keys, { key: "?", name: "This list", act: () => dialog.showModal() }];
  element("keys-list").replaceChildren(...all.flatMap(({ key, name }) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, name)]));
  button("keys-button").addEventListener("click", () => dialog.showModal());
  addEventListener("keydown", (event) => {
    if (!isOurs(event)) return;
    const found = all.find(({ key }) => key === event.key.toLowerCase() && (check.checked || key === "?"));
    if (!found) return;
    event.preventDefault();
    found.act();
  });
}
