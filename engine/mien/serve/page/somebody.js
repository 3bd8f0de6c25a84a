// Somebody who does not exist, as a portrait: eight to choose from, by a seed and by what is asked for.

import { ApiError } from "/page/api.js";
import { setUpChooser, show } from "/page/chooser.js";
import { button, drawFilled, element, input, make, say } from "/page/dom.js";
import { fill } from "/page/motion.js";

const EIGHT = 8;
const SMALL = 256;
const SIDE = 128;
const SEEDS = 1_000_000;
const HAIRS = ["black", "dark", "brown", "fair", "red", "grey", "white"];
/** Name, label, and what the slider begins with where it is asked for. @type {[string, string, number][]} */
const TRAITS = [
  ["skin", "Skin, dark to light", 0.5],
  ["smile", "Smile", 0.35],
  ["beard", "Beard", 0],
  ["long_hair", "Long hair", 0.5],
  ["full_hair", "Hair on top", 0.5],
];

export class Somebody {
  /**
   * @param {import("/page/api.js").Api} api
   * @param {(portrait: import("/page/api.js").Portrait) => void} done
   */
  constructor(api, done) {
    this.api = api;
    this.done = done;
    this.dialog = /** @type {HTMLDialogElement} */ (element("somebody-dialog"));
    this.strip = element("somebody-strip");
    this.hair = /** @type {HTMLSelectElement} */ (element("somebody-hair"));
    this.hair.append(...HAIRS.map((name) => make("option", { value: name }, name)));
    /** What is asked for; what is not in it is left to chance. @type {Record<string, number>} */
    this.traits = {};
    /** The seed that is chosen. @type {number | null} */
    this.chosen = null;
    /** Which of the requests for eight is the latest. */
    this.round = 0;
    this.#setUp();
  }

  #setUp() {
    button("somebody-button").addEventListener("click", () => this.open());
    button("somebody-others").addEventListener("click", () => {
      input("somebody-seed").value = String(Math.floor(Math.random() * SEEDS));
      this.draw();
    });
    for (const id of ["somebody-seed", "somebody-glasses", "somebody-hair"]) element(id).addEventListener("change", () => this.draw());
    button("somebody-cancel").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => this.round++);
    element("somebody-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#use();
    });
    element("somebody-traits").replaceChildren(...TRAITS.map((trait) => this.#row(...trait)));
    setUpChooser(this.strip, (seed) => this.#choose(Number(seed)));
  }

  open() {
    this.dialog.showModal();
    this.draw();
  }

  /** What the server is asked for. @param {number} seed @param {number} size */
  wish(seed, size) {
    const hair = this.hair.value ? { hair: this.hair.value } : {};
    return { seed, size, ...hair, ...this.traits, glasses: input("somebody-glasses").checked };
  }

  /** Ask for eight, one after the other; a later call ends an earlier one. */
  async draw() {
    const round = ++this.round;
    const first = Math.max(0, Math.floor(Number(input("somebody-seed").value) || 0));
    const seeds = Array.from({ length: EIGHT }, (_, number) => first + number);
    const items = seeds.map(item);
    this.strip.replaceChildren(...items);
    this.chosen = null;
    button("somebody-accept").disabled = true;
    say(element("somebody-problem"), "");
    for (const [number, seed] of seeds.entries()) {
      try {
        const picture = await createImageBitmap(await this.api.somebody(this.wish(seed, SMALL)));
        if (round !== this.round) return;
        drawFilled(/** @type {HTMLCanvasElement} */ (items[number].firstElementChild), picture, SIDE, SIDE);
        items[number].disabled = false;
        if (number === 0) this.#choose(seed);
      } catch (error) {
        if (round === this.round) say(element("somebody-problem"), told(error));
        return;
      }
    }
  }

  /** @param {number} seed */
  #choose(seed) {
    this.chosen = seed;
    show(this.strip, String(seed));
    button("somebody-accept").disabled = false;
  }

  async #use() {
    if (this.chosen === null) return;
    const seed = this.chosen;
    const accept = button("somebody-accept");
    accept.disabled = true;
    try {
      const picture = await this.api.somebody(this.wish(seed, 512));
      const portrait = await this.api.upload(picture, `nobody-${seed}.png`, `nobody: made by mien avatar, seed ${seed}`);
      this.dialog.close();
      this.done(portrait);
    } catch (error) {
      say(element("somebody-problem"), told(error));
    } finally {
      accept.disabled = false;
    }
  }

  /** A slider that asks for nothing until it is moved. @param {string} name @param {string} label @param {number} value */
  #row(name, label, value) {
    const id = `somebody-${name}`;
    const slider = make("input", { id, type: "range", min: 0, max: 1, step: 0.05, value });
    const shown = make("output", { for: id }, "any");
    slider.addEventListener("input", () => {
      fill(slider);
      say(shown, `${Math.round(Number(slider.value) * 100)} %`);
    });
    slider.addEventListener("change", () => {
      this.traits[name] = Number(slider.value);
      this.draw();
    });
    fill(slider);
    return make("div", { class: "slider" }, make("label", { for: id }, label), slider, shown);
  }
}

/** @param {number} seed */
function item(seed) {
  const picture = make("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
  const name = make("span", { class: "thumb-name" }, String(seed));
  return make("button", { type: "button", role: "radio", class: "thumb", "data-value": String(seed), "aria-checked": "false", "aria-label": `Seed ${seed}`, disabled: true }, picture, name);
}

/** @param {unknown} error */
const told = (error) => (error instanceof ApiError ? [error.message, error.advice].filter(Boolean).join(". ") : String(error));
