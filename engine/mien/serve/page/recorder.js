// What is received, into a file: nothing leaves the browser for it.

const KINDS = ["video/mp4;codecs=avc1.42E01E,mp4a.40.2", "video/webm;codecs=vp9,opus", "video/webm;codecs=vp8,opus", "video/webm"];
const SLICE_MS = 1000;

/** `mien-2026-01-31-14-05-09.webm` @param {Date} now @param {string} type */
export function fileName(now, type) {
  const parts = [now.getFullYear(), now.getMonth() + 1, now.getDate(), now.getHours(), now.getMinutes(), now.getSeconds()];
  const stamp = parts.map((part) => String(part).padStart(2, "0")).join("-");
  return `mien-${stamp}.${type.includes("mp4") ? "mp4" : "webm"}`;
}

/** 75 as "1:15" @param {number} seconds */
export function clockOf(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export class Recorder {
  /** @param {(name: string) => void} saved */
  constructor(saved) {
    this.saved = saved;
    /** @type {MediaRecorder | null} */
    this.recorder = null;
    this.began = 0;
  }

  get running() {
    return this.recorder !== null;
  }

  /** @param {MediaStream} stream */
  begin(stream) {
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    const recorder = new MediaRecorder(stream, { mimeType });
    /** @type {Blob[]} */
    const slices = [];
    const began = new Date();
    recorder.addEventListener("dataavailable", ({ data }) => data.size && slices.push(data));
    recorder.addEventListener("stop", () => {
      if (this.recorder === recorder) this.recorder = null;
      const name = fileName(began, recorder.mimeType);
      if (slices.length) give(new Blob(slices, { type: recorder.mimeType }), name);
      this.saved(slices.length ? name : "");
    });
    recorder.start(SLICE_MS);
    this.recorder = recorder;
    this.began = performance.now();
  }

  /** End and save; nothing where nothing runs. */
  end() {
    if (this.recorder && this.recorder.state !== "inactive") this.recorder.stop();
  }

  /** Seconds so far. */
  get seconds() {
    return (performance.now() - this.began) / 1000;
  }
}

/** @param {Blob} blob @param {string} name */
function give(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
