// A painter's style for the portrait: which one, and how strong.

import { element, make, say } from "/page/dom.js";
import { setUpChooser, show } from "/page/chooser.js";
import { kept } from "/page/kept.js";
import { fill } from "/page/motion.js";

const NONE = "none";

export class StyleChoice {
  /** @param {(change: {style: string}) => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {string} */
    this.name = kept.get("style") ?? NONE;
    /** 0.05 to 1. @type {number} */
    this.strength = kept.get("style-strength") ?? 1;
    this.group = element("styles");
    setUpChooser(this.group, (name) => this.#choose(name));
    this.#setUpStrength();
  }

  /** As the server takes it. */
  get value() {
    return this.name === NONE || this.strength === 1 ? this.name : `${this.name}:${this.strength}`;
  }

  /** Show the styles that the server has; without any, nothing of this is shown. @param {string[]} names */
  offer(names) {
    if (!names.includes(this.name)) this.name = NONE;
    element("style-choice").hidden = names.length === 0;
    this.group.replaceChildren(...[NONE, ...names].map(chip));
    this.#follow();
  }

  /** @param {string} name */
  #choose(name) {
    this.name = name;
    kept.set("style", name);
    this.#follow();
    this.changed({ style: this.value });
  }

  #follow() {
    show(this.group, this.name);
    this.row.hidden = this.name === NONE;
  }

  #setUpStrength() {
    const slider = make("input", { id: "style-strength", type: "range", min: 0.05, max: 1, step: 0.05, value: this.strength });
    const shown = make("output", { for: "style-strength" });
    const tell = () => {
      const worded = `${Math.round(Number(slider.value) * 100)} %`;
      fill(slider);
      slider.setAttribute("aria-valuetext", worded);
      say(shown, worded);
    };
    slider.addEventListener("input", tell);
    // the portrait is drawn anew for it, so not at each step of the way
    slider.addEventListener("change", () => {
      this.strength = Number(slider.value);
      kept.set("style-strength", this.strength);
      this.changed({ style: this.value });
    });
    tell();
    this.row = make("div", { class: "slider" }, make("label", { for: "style-strength" }, "Strength"), slider, shown);
    element("style-strength-row").replaceChildren(this.row);
  }
}

/** @param {string} name */
function chip(name) {
  const worded = name === NONE ? "Photograph" : name.replaceAll("-", " ");
  return make("button", { type: "button", role: "radio", class: "chip", "data-value": name, "aria-checked": "false" }, worded);
}
