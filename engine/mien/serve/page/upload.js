// A picture becomes a portrait only with a note of who agreed to it.

import { button, canvas, drawFilled, element, input, say, video } from "/page/dom.js";
import { ApiError } from "/page/api.js";

const SNAPSHOT_QUALITY = 0.95;
/** Names of pictures that the server reads and most browsers do not show. */
const UNSHOWN = /\.(heic|heif|tiff?)$/i;

/** A picture of what the camera shows now. @param {HTMLVideoElement} video @returns {Promise<Blob>} */
async function snapshotOf(video) {
  const still = document.createElement("canvas");
  drawFilled(still, video, video.videoWidth, video.videoHeight);
  return new Promise((resolve, reject) => still.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the camera shows nothing"))), "image/jpeg", SNAPSHOT_QUALITY));
}

export class Upload {
  /**
   * @param {import("/page/api.js").Api} api
   * @param {(portrait: import("/page/api.js").Portrait) => void} done
   * @param {(text: string) => void} problem
   */
  constructor(api, done, problem) {
    this.api = api;
    this.done = done;
    this.problem = problem;
    this.dialog = /** @type {HTMLDialogElement} */ (element("consent-dialog"));
    /** @type {{picture: Blob, name: string} | null} */
    this.offered = null;
    element("consent-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    button("consent-cancel").addEventListener("click", () => this.dialog.close());
    this.#takePictures();
  }

  /** From a file, from what is dropped on the page, and from the camera. */
  #takePictures() {
    const files = input("upload-input");
    button("upload-button").addEventListener("click", () => files.click());
    files.addEventListener("change", () => {
      const picture = files.files?.[0];
      files.value = "";
      if (picture) this.offer(picture, picture.name, "");
    });
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      const picture = event.dataTransfer?.files[0];
      if (picture && !this.dialog.open) this.offer(picture, picture.name, "");
    });
    button("snapshot-button").addEventListener("click", () => {
      snapshotOf(video("self-video")).then(
        (still) => this.offer(still, "snapshot.jpg", "Myself"),
        (error) => this.problem(error.message),
      );
    });
  }

  /** Show a picture and ask. @param {Blob} picture @param {string} name @param {string} whose what the note begins with */
  async offer(picture, name, whose) {
    const bitmap = await createImageBitmap(picture).catch(() => null);
    if (!bitmap && !UNSHOWN.test(name)) return this.problem(`${name} is no picture that this browser can read; take a JPEG, PNG or WebP.`);
    canvas("consent-preview").hidden = !bitmap;
    if (bitmap) {
      const scale = Math.min(1, 480 / Math.max(bitmap.width, bitmap.height));
      drawFilled(canvas("consent-preview"), bitmap, Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
    }
    this.offered = { picture, name };
    input("consent-text").value = whose;
    input("consent-check").checked = false;
    say(element("consent-problem"), "");
    this.dialog.showModal();
    input("consent-text").focus();
  }

  async #send() {
    if (!this.offered) return;
    const accept = button("consent-accept");
    accept.disabled = true;
    try {
      const portrait = await this.api.upload(this.offered.picture, this.offered.name, input("consent-text").value.trim());
      this.dialog.close();
      this.done(portrait);
    } catch (error) {
      say(element("consent-problem"), error instanceof ApiError ? [error.message, error.advice].filter(Boolean).join(". ") : String(error));
    } finally {
      accept.disabled = false;
    }
  }
}
