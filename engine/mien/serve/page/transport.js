// The buttons of a running session, and their keys.

import { button, element, say, video } from "/page/dom.js";
import { closeBeside, isAlone, refillBeside, setUpOutput, showAll, showAlone, showBeside } from "/page/output.js";
import { Recorder, clockOf } from "/page/recorder.js";
import { MOVING } from "/page/stage.js";
import { notice, status } from "/page/tell.js";

const RUNNING = ["stop-button", "pause-button", "rezero-button", "record-button", "output-button", "window-button", "snapshot-button"];

/** @param {string} id @param {boolean} pressed @param {string} [text] */
function press(id, pressed, text) {
  const one = button(id);
  one.setAttribute("aria-pressed", String(pressed));
  const label = one.querySelector("span");
  if (label && text) say(label, text);
}

export class Transport {
  /** @param {import("/page/call.js").Call} call @param {import("/page/stage.js").Stage} stage */
  constructor(call, stage) {
    this.call = call;
    this.stage = stage;
    this.paused = false;
    this.preparing = false;
    this.recorder = new Recorder((name) => {
      this.#showRecording();
      notice(name ? `Saved as ${name}, among your downloads.` : "Nothing was recorded.");
    });
    const clicks = { "stop-button": this.stop, "pause-button": this.pause, "rezero-button": this.rezero, "record-button": this.record, "output-button": this.output, "window-button": this.window, "microphone-button": this.mute, "panic-button": this.panic };
    for (const [id, act] of Object.entries(clicks)) button(id).addEventListener("click", () => act());
    setUpOutput(element("result-frame"), () => button("output-button").focus());
    call.addEventListener("stream", (event) => refillBeside(/** @type {CustomEvent} */ (event).detail));
    addEventListener("pagehide", closeBeside);
    setInterval(() => this.recorder.running && this.#showRecording(), 500);
  }

  /** @type {import("/page/keys.js").Key[]} */
  get keys() {
    return [
      { key: "x", name: "Hide me, at once", act: this.panic },
      { key: "p", name: "Pause", act: this.pause },
      { key: "z", name: "Re-zero: how you look now is rest", act: this.rezero },
      { key: "r", name: "Record", act: this.record },
      { key: "f", name: "Full screen, the picture alone", act: this.output },
      { key: "w", name: "The picture in a window of its own", act: this.window },
      { key: "m", name: "Mute the microphone", act: this.mute },
      { key: "q", name: "Stop", act: this.stop },
    ];
  }

  get running() {
    return this.call.state.name === "running";
  }

  /** Follow the session's state. */
  follow() {
    for (const id of RUNNING) button(id).disabled = !this.running;
    button("stop-button").disabled = !this.call.active;
    button("panic-button").disabled = !this.call.active;
    if (!this.running) this.recorder.end();
    if (!this.call.active) {
      this.#setPaused(false);
      this.#setCovered(false);
    }
  }

  /** @param {boolean} preparing whether another portrait than the chosen one is shown still */
  prepare(preparing) {
    this.preparing = preparing;
    this.#note();
  }

  stop = () => {
    if (this.call.active) this.call.stop();
  };

  pause = () => {
    if (!this.running) return;
    const paused = !this.paused;
    this.#setPaused(paused);
    this.call.change({ paused }).catch(() => this.#setPaused(!paused));
  };

  rezero = () => {
    if (!this.running) return;
    this.call.change({ rezero: true }).then(
      () => status("Re-zeroed: how you looked just now is the portrait's rest"),
      () => {},
    );
  };

  record = () => {
    const stream = video("result-video").srcObject;
    if (this.recorder.running) this.recorder.end();
    else if (this.running && stream instanceof MediaStream) {
      this.recorder.begin(stream);
      status("Recording");
    }
    this.#showRecording();
  };

  output = () => {
    if (isAlone()) showAll();
    else if (this.running) showAlone(element("result-frame"));
  };

  window = () => {
    if (this.running && !showBeside(this.call.peer?.stream ?? null)) notice("The browser keeps the window from opening: allow it beside the address.", "bad");
  };

  mute = () => {
    this.call.muted = !this.call.muted;
    this.call.applyCover();
    press("microphone-button", this.call.muted, this.call.muted ? "Muted" : "Mute");
    status(this.call.muted ? "Microphone off" : "Microphone on");
  };

  /** Hidden here before the server is asked; what the server does not confirm stays hidden here. */
  panic = () => {
    if (!this.call.active) return;
    const covered = !this.call.covered;
    const { camera } = this.call; // an answer that comes late means this one
    if (covered) this.#setCovered(true);
    this.call.change({ panic: covered }).then(
      () => !covered && camera === this.call.camera && this.#setCovered(false),
      () => covered && camera?.getVideoTracks().forEach((track) => (track.enabled = false)),
    );
  };

  /** @param {boolean} paused */
  #setPaused(paused) {
    this.paused = paused;
    press("pause-button", paused, paused ? "Go on" : "Pause");
    this.#note();
  }

  /** @param {boolean} covered */
  #setCovered(covered) {
    if (covered !== this.call.covered) status(covered ? "Hidden: others see a plain card, your microphone is off" : "Shown again");
    this.call.covered = covered;
    this.call.applyCover();
    if (!covered) this.call.camera?.getVideoTracks().forEach((track) => (track.enabled = true));
    this.stage.cover(covered);
    press("panic-button", covered, covered ? "Show me" : "Hide me");
    this.#note();
  }

  #note() {
    const plain = this.preparing ? "getting ready" : MOVING;
    if (this.running) this.stage.note(this.call.covered ? "hidden from everybody" : this.paused ? "paused" : plain);
  }

  #showRecording() {
    const running = this.recorder.running;
    press("record-button", running, running ? "Save" : "Record");
    element("record-badge").hidden = !running;
    if (running) say(element("record-time"), clockOf(this.recorder.seconds));
  }
}
