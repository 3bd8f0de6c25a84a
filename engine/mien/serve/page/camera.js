// The camera and the microphone, and what is wrong where there is none.

/** @typedef {"no-camera" | "no-permission" | "camera-busy" | "insecure"} CameraProblem */

export class CameraError extends Error {
  /** @param {CameraProblem} problem @param {unknown} cause */
  constructor(problem, cause) {
    super(problem, { cause });
    this.problem = problem;
  }
}

/** @type {Record<string, CameraProblem>} */
const PROBLEMS = {
  NotFoundError: "no-camera",
  OverconstrainedError: "no-camera",
  NotAllowedError: "no-permission",
  SecurityError: "no-permission",
  NotReadableError: "camera-busy",
  AbortError: "camera-busy",
};

/** @param {string} camera @param {string} microphone device ids; "" is the default, "none" no sound */
function wish(camera, microphone) {
  return {
    video: {
      width: { ideal: 640 },
      height: { ideal: 480 },
      frameRate: { ideal: 30, max: 30 },
      ...(camera ? { deviceId: { exact: camera } } : { facingMode: "user" }),
    },
    audio:
      microphone === "none"
        ? false
        : { echoCancellation: true, noiseSuppression: true, ...(microphone ? { deviceId: { exact: microphone } } : {}) },
  };
}

/**
 * Open both; where there is no microphone, the camera alone.
 * @param {string} camera
 * @param {string} microphone
 * @returns {Promise<MediaStream>}
 * @throws {CameraError}
 */
export async function openCamera(camera, microphone) {
  const devices = navigator.mediaDevices;
  if (!devices) throw new CameraError("insecure", null);
  try {
    return await devices.getUserMedia(wish(camera, microphone));
  } catch (error) {
    if (microphone === "none") throw problemOf(error);
  }
  try {
    return await devices.getUserMedia(wish(camera, "none"));
  } catch (error) {
    throw problemOf(error);
  }
}

/** @param {unknown} error */
function problemOf(error) {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  return new CameraError(PROBLEMS[name] ?? "no-camera", error);
}

/**
 * Offer the devices that there are; their names are known once permission was given.
 * @param {HTMLSelectElement} select
 * @param {MediaDeviceKind} kind
 */
export async function listDevices(select, kind) {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const named = all.filter((device) => device.kind === kind && device.deviceId && device.label && device.deviceId !== "default");
  const kept = [...select.options].filter((option) => option.value === "" || option.value === "none");
  const chosen = select.value;
  const [first, ...others] = kept;
  select.replaceChildren(first, ...named.map((device) => new Option(device.label, device.deviceId)), ...others);
  select.value = chosen;
  if (select.selectedIndex < 0) select.value = "";
}

/** Whether the camera may be opened without a question. @returns {Promise<boolean>} */
export async function mayOpenSilently() {
  try {
    const name = /** @type {PermissionName} */ ("camera");
    return (await navigator.permissions.query({ name })).state === "granted";
  } catch {
    return false;
  }
}
