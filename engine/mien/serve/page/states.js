// What the page is in, and what it says about it.

/**
 * @typedef {"checking" | "token" | "unreachable" | "idle" | "asking" | "connecting" | "running" | "lost" | "full" | "starting"
 *   | "room-full" | "refused" | "ended" | "no-camera" | "no-permission" | "camera-busy" | "insecure"} StateName
 * @typedef {{name: StateName, text?: string, until?: number}} State `until`: when it will be tried again, in ms of performance.now().
 * @typedef {{pill: string, tone: "quiet" | "busy" | "good" | "bad", title: string, text: string, start?: string, other?: string}} Words
 */

/** `start` names the button that begins, `other` the one beside it. @type {Record<StateName, Words>} */
const WORDS = {
  checking: { pill: "Looking for the server", tone: "busy", title: "One moment", text: "Asking the server what it offers." },
  token: { pill: "Token needed", tone: "bad", title: "This server asks for a token", text: "Whoever started it was shown one. It is kept until this tab is closed." },
  unreachable: { pill: "No server", tone: "bad", title: "The server does not answer", text: "Is mien serve still running? The page tries again by itself.", other: "Try now" },
  idle: { pill: "Ready", tone: "quiet", title: "Be the portrait", text: "Your camera goes to the server that this page came from, and nowhere else.", start: "Start" },
  asking: { pill: "Waiting for you", tone: "busy", title: "May this page use your camera?", text: "Your browser asks above. Without a camera the portrait does not know how to move.", other: "Cancel" },
  connecting: { pill: "Connecting", tone: "busy", title: "Connecting", text: "The server gets the portrait ready.", other: "Cancel" },
  running: { pill: "Live", tone: "good", title: "", text: "" },
  lost: { pill: "Connection lost", tone: "bad", title: "The connection is lost", text: "It comes back by itself, with the same portrait and settings.", other: "Stop" },
  full: { pill: "Server full", tone: "bad", title: "All places are taken", text: "The server takes no more than it can serve in time. It is tried again by itself.", other: "Cancel" },
  starting: { pill: "Server starting", tone: "busy", title: "The server warms up", text: "It loads and measures its model, once. It begins by itself.", other: "Cancel" },
  "room-full": { pill: "Room full", tone: "bad", title: "Two people are in this room already", text: "Ask for another room, or try again when one of them has left.", start: "Try again" },
  refused: { pill: "Refused", tone: "bad", title: "The server refused", text: "", start: "Try again" },
  ended: { pill: "Ended", tone: "quiet", title: "The session ended", text: "The server closed it: sessions there last only so long.", start: "Start again" },
  "no-camera": { pill: "No camera", tone: "bad", title: "No camera was found", text: "Plug one in or switch it on, then try again.", start: "Try again" },
  "no-permission": { pill: "Camera not allowed", tone: "bad", title: "The camera is not allowed", text: "Allow it for this page beside the address, and in the system's privacy settings. Then try again.", start: "Try again" },
  "camera-busy": { pill: "Camera busy", tone: "bad", title: "The camera is in use", text: "Another program holds it. Close that one, then try again.", start: "Try again" },
  insecure: { pill: "Not secure", tone: "bad", title: "Cameras need a secure page", text: "Open this page by https, or as localhost on the machine that serves it.", start: "Try again" },
};

/** @param {State} state @returns {Words} */
export function wordsOf(state) {
  const words = WORDS[state.name];
  return state.text ? { ...words, text: state.text } : words;
}

/** Whether the camera is open and a session is wanted. @param {StateName} name */
export const isActive = (name) => ["asking", "connecting", "running", "lost", "full", "starting"].includes(name);

/** Whole seconds until `until`, for a countdown. @param {number} until @param {number} now */
export const secondsLeft = (until, now) => Math.max(0, Math.ceil((until - now) / 1000));
