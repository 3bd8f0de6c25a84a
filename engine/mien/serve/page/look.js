// How the portrait's own face is shown: how much of its expression is taken out, and how strong wrinkles are.

import { element, make, say } from "/page/dom.js";
import { kept } from "/page/kept.js";
import { fill } from "/page/motion.js";

const SETTINGS = [
  { name: "relax", label: "Relax", most: 1, usual: 0, hint: "Takes out the portrait's own smile, squint and raised brows while you are at rest" },
  { name: "wrinkles", label: "Wrinkles", most: 2, usual: 1, hint: "Lines that come with an expression" },
];

export class Look {
  /** @param {(change: Record<string, number>) => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** As the server takes them. @type {Record<string, number>} */
    this.values = Object.fromEntries(SETTINGS.map(({ name, usual }) => [name, kept.get(name) ?? usual]));
    element("look").replaceChildren(...SETTINGS.map((setting) => this.#row(setting)));
  }

  /** @param {{name: string, label: string, most: number, usual: number, hint: string}} setting */
  #row({ name, label, most, usual, hint }) {
    const id = `look-${name}`;
    const slider = make("input", { id, type: "range", min: 0, max: most, step: 0.05, value: this.values[name], title: hint });
    const shown = make("output", { for: id });
    const tell = () => {
      const value = Number(slider.value);
      const worded = value === 0 ? "off" : `${Math.round(value * 100)} %`;
      fill(slider);
      slider.setAttribute("aria-valuetext", worded);
      say(shown, worded);
    };
    const set = () => {
      this.values[name] = Number(slider.value);
      kept.set(name, this.values[name]);
      tell();
      this.changed({ [name]: this.values[name] });
    };
    slider.addEventListener("input", set);
    slider.addEventListener("dblclick", () => {
      slider.value = String(usual);
      set();
    });
    tell();
    return make("div", { class: "slider" }, make("label", { for: id }, label), slider, shown);
  }
}
