// The pictures, and the words over them that tell which state the page is in.

import { button, canvas, drawFilled, element, say, video } from "/page/dom.js";
import { isActive, secondsLeft, wordsOf } from "/page/states.js";
import { alarm, status } from "/page/tell.js";

/** @typedef {import("/page/states.js").State} State */

const STILL = 720;
const TICK_MS = 250;
export const MOVING = "moving as you do";

export class Stage {
  constructor() {
    /** @type {State} */
    this.state = { name: "checking" };
    setInterval(() => this.#countDown(), TICK_MS);
  }

  /** @param {State} state */
  show(state) {
    const before = this.state.name;
    this.state = state;
    const words = wordsOf(state);
    document.body.dataset.state = state.name;
    element("pill").dataset.tone = words.tone;
    element("word").dataset.tone = words.tone;
    element("word").hidden = words.title === "";
    say(element("pill-text"), words.pill);
    say(element("word-title"), words.title);
    this.#buttons(words);
    this.#countDown();
    element("token-form").hidden = state.name !== "token";
    if (state.name !== before) this.#tell(words);
    if (!isActive(state.name)) this.showFace(null);
  }

  /** @param {import("/page/states.js").Words} words */
  #buttons(words) {
    const [start, other] = [button("start-button"), button("word-button")];
    const hadFocus = [start, other].some((one) => one === document.activeElement);
    start.hidden = words.start === undefined;
    other.hidden = words.other === undefined;
    say(start, words.start ?? "");
    say(other, words.other ?? "");
    if (hadFocus) (words.start ? start : words.other ? other : element("stage")).focus({ preventScroll: true });
  }

  /** @param {import("/page/states.js").Words} words */
  #tell(words) {
    const text = [words.pill, words.title, words.text].filter(Boolean).join(". ");
    if (words.tone === "bad") alarm(text);
    else {
      alarm("");
      status(text);
    }
  }

  #countDown() {
    const { until } = this.state;
    const left = until === undefined ? 0 : secondsLeft(until, performance.now());
    const again = until === undefined ? "" : left > 0 ? ` Next try in ${left} s.` : " Trying now.";
    say(element("word-text"), wordsOf(this.state).text + again);
  }

  /** @param {MediaStream | null} camera */
  showCamera(camera) {
    video("self-video").srcObject = camera;
    element("self-plate").classList.toggle("seen", camera !== null);
    const sound = camera !== null && camera.getAudioTracks().length > 0;
    say(element("self-note"), camera === null ? "camera off" : sound ? "as the camera sees you" : "without a microphone");
  }

  /** @param {MediaStream | null} stream */
  showResult(stream) {
    const result = video("result-video");
    result.srcObject = stream;
    element("result-plate").classList.toggle("seen", stream !== null);
    this.note(stream === null ? "at rest" : MOVING);
    if (stream) result.play().catch(() => {}); // muted: it may always play
  }

  /** The portrait before it moves. @param {ImageBitmap} picture @param {string} name */
  showStill(picture, name) {
    drawFilled(canvas("result-still"), picture, STILL, STILL);
    canvas("result-still").setAttribute("aria-label", `The portrait ${name}, at rest`);
    say(element("result-caption"), name);
  }

  /** @param {boolean | null} found null where nothing is known */
  showFace(found) {
    const badge = element("face-badge");
    if (badge.hidden === (found === false)) {
      badge.hidden = found !== false;
      if (found === false) status("No face found: look into the camera, with light on your face");
    }
  }

  /** What the picture does, beside its name. @param {string} text */
  note(text) {
    say(element("result-note"), text);
  }

  /** @param {boolean} covered */
  cover(covered) {
    element("curtain").hidden = !covered;
  }
}
