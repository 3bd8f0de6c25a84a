// How strongly each part of the driver's motion is applied: sliders, and names for settings of all of them.

import { button, element, make, say } from "/page/dom.js";
import { kept } from "/page/kept.js";

/** @typedef {Record<string, number>} Gains */

const GAINS = [
  ["expression", "Expression", "The whole face; multiplies eyelids, lips and brows"],
  ["pose", "Head turn", ""],
  ["translation", "Head position", ""],
  ["eyes", "Eyelids", ""],
  ["gaze", "Gaze", ""],
  ["brows", "Brows", ""],
  ["lips", "Lips and jaw", ""],
];
const MOST = 2;

/** As `mien live` has them, in the order of their keys. @type {Record<string, Gains>} */
export const PRESETS = {
  natural: {},
  calm: { expression: 0.7, pose: 0.6, brows: 0.7, translation: 0.4 },
  lively: { expression: 1.3, brows: 1.2 },
  "face-only": { pose: 0, translation: 0 },
};

/** All gains, 1 where nothing else is said. @param {Gains} some @returns {Gains} */
export const complete = (some) => Object.fromEntries(GAINS.map(([name]) => [name, some[name] ?? 1]));

/** The name of a preset that these gains are, or "". @param {Gains} gains */
export function presetOf(gains) {
  const same = (/** @type {Gains} */ preset) => Object.entries(complete(preset)).every(([name, value]) => Math.abs(value - gains[name]) < 1e-6);
  return Object.keys(PRESETS).find((name) => same(PRESETS[name])) ?? "";
}

/** 1 as "1", 0 as "off". @param {number} gain */
const worded = (gain) => (gain === 0 ? "off" : `${gain.toFixed(2).replace(/\.?0+$/, "")}×`);

export class Motion {
  /** @param {(gains: Gains) => void} changed */
  constructor(changed) {
    this.gains = complete(kept.get("gains") ?? {});
    this.changed = changed;
    /** @type {Map<string, {slider: HTMLInputElement, shown: HTMLOutputElement}>} */
    this.rows = new Map();
    element("sliders").replaceChildren(...GAINS.map(([name, label, hint]) => this.#row(name, label, hint)));
    element("presets").replaceChildren(...Object.keys(PRESETS).map((name) => this.#chip(name)));
    button("gains-reset").addEventListener("click", () => this.choose("natural"));
    this.#show();
  }

  /** @param {string} preset */
  choose(preset) {
    this.set(complete(PRESETS[preset] ?? {}));
  }

  /** @param {Gains} gains */
  set(gains) {
    this.gains = gains;
    kept.set("gains", gains);
    this.#show();
    this.changed(gains);
  }

  /** @param {string} name @param {string} label @param {string} hint */
  #row(name, label, hint) {
    const id = `gain-${name}`;
    const slider = make("input", { id, type: "range", min: 0, max: MOST, step: 0.05, ...(hint ? { title: hint } : {}) });
    const shown = make("output", { for: id });
    slider.addEventListener("input", () => this.set({ ...this.gains, [name]: Number(slider.value) }));
    slider.addEventListener("dblclick", () => this.set({ ...this.gains, [name]: 1 }));
    this.rows.set(name, { slider, shown });
    return make("div", { class: "slider" }, make("label", { for: id }, label), slider, shown);
  }

  /** @param {string} name */
  #chip(name) {
    const chip = make("button", { type: "button", class: "chip", "data-preset": name, "aria-pressed": "false" }, name.replace("-", " "));
    chip.addEventListener("click", () => this.choose(name));
    return chip;
  }

  #show() {
    for (const [name, { slider, shown }] of this.rows) {
      slider.value = String(this.gains[name]);
      slider.setAttribute("aria-valuetext", worded(this.gains[name]));
      fill(slider);
      say(shown, worded(this.gains[name]));
    }
    const preset = presetOf(this.gains);
    for (const chip of element("presets").children) chip.setAttribute("aria-pressed", String(chip.getAttribute("data-preset") === preset));
  }
}

/** Tell the style sheet how far a slider is filled. @param {HTMLInputElement} slider */
export function fill(slider) {
  const [low, high] = [Number(slider.min), Number(slider.max)];
  slider.style.setProperty("--filled", `${((Number(slider.value) - low) / (high - low)) * 100}%`);
}
