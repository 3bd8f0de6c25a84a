// The picture alone in the window, for programs that capture windows; full screen where the browser allows it.

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
