// What a file says of itself: dropped or chosen, read by the server, told in three lines.

import { ApiError } from "/page/api.js";
import { button, element, input, make, say } from "/page/dom.js";

export class Verify {
  /** @param {import("/page/api.js").Api} api */
  constructor(api) {
    this.api = api;
    this.zone = element("verify-drop");
    /** Which of the files is the latest. */
    this.round = 0;
    const files = input("verify-input");
    button("verify-button").addEventListener("click", () => files.click());
    files.addEventListener("change", () => {
      const file = files.files?.[0];
      files.value = "";
      if (file) this.ask(file);
    });
    this.zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.#mark(true);
    });
    this.zone.addEventListener("dragleave", () => this.#mark(false));
    this.zone.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation(); // elsewhere on the page a picture is dropped to become a portrait
      this.#mark(false);
      const file = event.dataTransfer?.files[0];
      if (file) this.ask(file);
    });
  }

  /** Have a file read, and show what it says. @param {File} file */
  async ask(file) {
    const round = ++this.round;
    const told = element("verify-told");
    say(element("verify-problem"), "");
    told.replaceChildren(make("li", {}, `${file.name}: being read…`));
    told.dataset.tone = "quiet";
    try {
      const { good, lines, details } = await this.api.verify(file);
      if (round !== this.round) return;
      const contradicts = details.changed || details.broken || details.agree === false || details.intact === false;
      told.dataset.tone = good ? "good" : contradicts ? "bad" : "quiet";
      told.replaceChildren(...[file.name, ...lines].map((line) => make("li", {}, line)));
    } catch (error) {
      if (round !== this.round) return;
      told.replaceChildren();
      say(element("verify-problem"), error instanceof ApiError ? [error.message, error.advice].filter(Boolean).join(". ") : String(error));
    }
  }

  /** @param {boolean} over whether a file is held over the zone */
  #mark(over) {
    this.zone.toggleAttribute("data-over", over);
  }
}
