// A second portrait that the chosen one is blended with, and how far.

import { byId, element, make, say } from "/page/dom.js";
import { kept } from "/page/kept.js";
import { fill } from "/page/motion.js";

const NONE = "none";
const STEP = 0.1;

export class MorphChoice {
  /**
   * @param {(change: {morph: string, degree: number}) => void} chosen another second portrait
   * @param {(change: {degree: number}) => void} moved the slider is dragged
   */
  constructor(chosen, moved) {
    this.chosen = chosen;
    this.moved = moved;
    /** Id of a portrait, or none. @type {string} */
    this.second = kept.get("morph") ?? NONE;
    /** @type {number} */
    this.degree = kept.get("morph-degree") ?? 0.7;
    this.select = byId("morph-select", HTMLSelectElement);
    this.select.addEventListener("change", () => this.choose(this.select.value));
    this.slider = make("input", { id: "morph-degree", type: "range", min: 0, max: 1, step: 0.01 });
    this.shown = make("output", { for: "morph-degree" });
    this.slider.addEventListener("input", () => this.#move(Number(this.slider.value)));
    this.row = make("div", { class: "slider" }, make("label", { for: "morph-degree" }, "Degree"), this.slider, this.shown);
    element("morph-degree-row").replaceChildren(this.row);
    this.#show();
  }

  /** As the server takes them. */
  get values() {
    return { morph: this.second, degree: this.degree };
  }

  /** Keys as `mien live` has them. */
  get keys() {
    return [
      { key: "[", name: "Blend less", act: () => this.#step(-STEP) },
      { key: "]", name: "Blend more", act: () => this.#step(STEP) },
    ];
  }

  /** Show the portraits that there are. @param {import("/page/api.js").Portrait[]} portraits */
  offer(portraits) {
    this.select.replaceChildren(make("option", { value: NONE }, "Nobody"), ...portraits.map(({ id, name }) => make("option", { value: id }, name)));
    if (!portraits.some(({ id }) => id === this.second)) this.second = NONE;
    this.#show();
  }

  /** @param {string} id of a portrait, or none */
  choose(id) {
    this.second = id;
    kept.set("morph", id);
    this.#show();
    this.chosen(this.values);
  }

  /** The server could not blend with it. */
  refused() {
    if (this.second !== NONE) this.choose(NONE);
  }

  /** @param {number} by */
  #step(by) {
    if (this.second !== NONE) this.#move(Math.min(Math.max(Math.round((this.degree + by) * 100) / 100, 0), 1));
  }

  /** @param {number} degree */
  #move(degree) {
    this.degree = degree;
    kept.set("morph-degree", degree);
    this.#show();
    this.moved({ degree });
  }

  #show() {
    this.select.value = this.second;
    this.row.hidden = this.second === NONE;
    this.slider.value = String(this.degree);
    const worded = `${Math.round(this.degree * 100)} %`;
    fill(this.slider);
    this.slider.setAttribute("aria-valuetext", worded);
    say(this.shown, worded);
  }
}
