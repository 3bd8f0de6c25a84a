// The portraits that there are: samples, and what was uploaded.

import { drawFilled, element, make } from "/page/dom.js";
import { setUpChooser, show } from "/page/chooser.js";
import { kept } from "/page/kept.js";

/** @typedef {import("/page/api.js").Portrait} Portrait */

const SIDE = 176;

export class Gallery {
  /**
   * @param {import("/page/api.js").Api} api
   * @param {(portrait: Portrait) => void} chosen
   * @param {(text: string) => void} problem
   * @param {(portraits: Portrait[]) => void} loaded called with all of them
   */
  constructor(api, chosen, problem, loaded) {
    this.api = api;
    this.strip = element("strip");
    this.chosen = chosen;
    this.problem = problem;
    this.loaded = loaded;
    /** @type {Portrait[]} */
    this.portraits = [];
    /** @type {Map<string, ImageBitmap>} */
    this.pictures = new Map();
    /** @type {string | null} */
    this.value = kept.get("portrait");
    setUpChooser(this.strip, (id) => this.choose(id));
  }

  /** The one that is chosen. @returns {Portrait | undefined} */
  get portrait() {
    return this.portraits.find((one) => one.id === this.value);
  }

  /** Ask for the list again and draw it. */
  async load() {
    this.portraits = await this.api.portraits();
    if (!this.portrait) this.value = this.portraits[0]?.id ?? null;
    this.strip.replaceChildren(...this.portraits.map((portrait) => this.#item(portrait)));
    show(this.strip, this.value);
    this.loaded(this.portraits);
    if (this.portrait) this.chosen(this.portrait);
  }

  /** @param {string} id */
  choose(id) {
    this.value = id;
    kept.set("portrait", id);
    show(this.strip, id);
    if (this.portrait) this.chosen(this.portrait);
  }

  /** The next one, as key `n` asks. */
  next() {
    const at = this.portraits.findIndex((one) => one.id === this.value);
    const next = this.portraits[(at + 1) % this.portraits.length];
    if (next) this.choose(next.id);
  }

  /** @param {Portrait} portrait @returns {Promise<ImageBitmap>} */
  async pictureOf(portrait) {
    const known = this.pictures.get(portrait.id) ?? (await this.api.picture(portrait));
    this.pictures.set(portrait.id, known);
    return known;
  }

  /** @param {Portrait} portrait */
  #item(portrait) {
    const picture = make("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
    const name = make("span", { class: "thumb-name" }, portrait.name);
    const radio = make("button", { type: "button", role: "radio", class: "thumb", "data-value": portrait.id, "aria-checked": "false" }, picture, name);
    this.pictureOf(portrait).then(
      (bitmap) => drawFilled(picture, bitmap, SIDE, SIDE),
      (error) => this.problem(`${portrait.name} cannot be shown: ${error.message}`),
    );
    return portrait.sample ? radio : make("div", { class: "thumb-own" }, radio, this.#removal(portrait));
  }

  /** @param {Portrait} portrait */
  #removal(portrait) {
    const remove = make("button", { type: "button", class: "remove", "aria-label": `Remove ${portrait.name}`, title: "Remove" }, "×");
    remove.addEventListener("click", async () => {
      try {
        await this.api.removePortrait(portrait.id);
      } catch (error) {
        return this.problem(`${portrait.name} was not removed: ${error instanceof Error ? error.message : error}`);
      }
      this.pictures.delete(portrait.id);
      await this.load();
    });
    return remove;
  }
}
