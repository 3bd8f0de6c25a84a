// The picture alone, for programs that capture windows: in this window, full screen where the browser allows it, or in one
// of its own beside the page.

/** Whether the picture is alone at present. */
export const isAlone = () => document.body.classList.contains("alone");

/** @param {HTMLElement} frame what stays */
export async function showAlone(frame) {
  document.body.classList.add("alone");
  frame.tabIndex = -1;
  frame.focus({ preventScroll: true });
  try {
    await document.documentElement.requestFullscreen({ navigationUI: "hide" });
  } catch {
    // the window it is, which is enough to be captured
  }
}

export async function showAll() {
  document.body.classList.remove("alone");
  if (document.fullscreenElement) await document.exitFullscreen();
}

/** Leave with Escape, however full screen ends, or by a double click. @param {HTMLElement} frame @param {() => void} left */
export function setUpOutput(frame, left) {
  const leave = () => {
    if (!isAlone()) return;
    showAll();
    left();
  };
  document.addEventListener("fullscreenchange", () => !document.fullscreenElement && leave());
  addEventListener("keydown", (event) => event.key === "Escape" && leave());
  frame.addEventListener("dblclick", leave);
}

/** @type {Window | null} */
let beside = null;

/**
 * Show a stream in a window of its own; where it is open already, the new stream.
 * @param {MediaStream | null} stream
 * @returns {boolean} whether the browser lets one open
 */
export function showBeside(stream) {
  beside = beside && !beside.closed ? beside : open("", "mien-picture", "popup,width=720,height=720");
  if (!beside) return false;
  refillBeside(stream);
  beside.focus();
  return true;
}

/** Show another stream where a window is open; nothing where none is. @param {MediaStream | null} stream */
export function refillBeside(stream) {
  if (!beside || beside.closed) return;
  const { document } = beside;
  document.title = "mien";
  const picture = document.querySelector("video") ?? document.createElement("video");
  Object.assign(picture, { muted: true, autoplay: true, playsInline: true, srcObject: stream });
  Object.assign(picture.style, { width: "100vw", height: "100vh", objectFit: "contain" });
  Object.assign(document.body.style, { margin: "0", overflow: "hidden", background: "#000000" });
  if (!picture.isConnected) document.body.append(picture);
}

/** Close it, as when the page is left. */
export const closeBeside = () => beside?.close();
