// What is behind the person, and the latency to hold.

import { element, input, make, say } from "/page/dom.js";
import { setUpChooser, show } from "/page/chooser.js";
import { kept } from "/page/kept.js";
import { fill } from "/page/motion.js";

const BACKGROUNDS = [
  ["keep", "As it is"],
  ["blur", "Blurred"],
  ["#f4f1ea", "Paper"],
  ["#1f2429", "Slate"],
  ["#2f6f73", "Teal"],
  ["#00b140", "Key green"],
];

export class Backdrop {
  /** @param {(change: {background?: string, target_latency_ms?: number}) => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {string} */
    this.background = kept.get("background") ?? "keep";
    this.group = element("backgrounds");
    this.custom = make("input", { type: "color", class: "swatch-own", "aria-label": "Another colour", title: "Another colour", value: "#c86b4a" });
    this.group.replaceChildren(...BACKGROUNDS.map(([value, name]) => swatch(value, name)), this.custom);
    this.custom.addEventListener("change", () => this.#choose(this.custom.value));
    setUpChooser(this.group, (value) => this.#choose(value));
    show(this.group, this.background);
    this.#setUpLatency();
  }

  /** Milliseconds from capture to emit that the server is asked to hold. */
  get latency() {
    return Number(input("latency-input").value);
  }

  /** @param {string} value */
  #choose(value) {
    this.background = value;
    kept.set("background", value);
    show(this.group, value);
    this.custom.classList.toggle("chosen", value === this.custom.value);
    this.changed({ background: value });
  }

  #setUpLatency() {
    const slider = input("latency-input");
    slider.value = String(kept.get("latency") ?? 100);
    const tell = () => {
      fill(slider);
      slider.setAttribute("aria-valuetext", `${slider.value} milliseconds`);
      say(element("latency-output"), `${slider.value} ms`);
    };
    slider.addEventListener("input", tell);
    slider.addEventListener("change", () => {
      kept.set("latency", this.latency);
      this.changed({ target_latency_ms: this.latency });
    });
    tell();
  }
}

/** @param {string} value @param {string} name */
function swatch(value, name) {
  const made = make("button", { type: "button", role: "radio", class: "swatch", "data-value": value, "aria-checked": "false", "aria-label": name, title: name });
  if (value.startsWith("#")) made.style.setProperty("--colour", value);
  else made.classList.add(`swatch-${value}`);
  return made;
}
