// Elements by name, and new ones: never from a string of HTML.

/**
 * The element with this id, of the class that is asked for.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`#${id} must be a ${kind.name}, got ${found}`);
  return found;
}

/** @param {string} id */
export const button = (id) => byId(id, HTMLButtonElement);
/** @param {string} id */
export const element = (id) => byId(id, HTMLElement);
/** @param {string} id */
export const input = (id) => byId(id, HTMLInputElement);
/** @param {string} id */
export const canvas = (id) => byId(id, HTMLCanvasElement);
/** @param {string} id */
export const video = (id) => byId(id, HTMLVideoElement);

/**
 * A new element with attributes and children; a string is text.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean>} attributes `false` leaves one out, `true` is an empty one.
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/**
 * Set text only where it differs: screen readers tell changes.
 * @param {Element} where
 * @param {string} text
 */
export function say(where, text) {
  if (where.textContent !== text) where.textContent = text;
}

/**
 * Draw a picture into the middle of a square or given canvas, filled and cut.
 * @param {HTMLCanvasElement} where
 * @param {ImageBitmap | HTMLVideoElement} picture
 * @param {number} width
 * @param {number} height in pixels of the canvas
 */
export function drawFilled(where, picture, width, height) {
  const [w, h] = picture instanceof HTMLVideoElement ? [picture.videoWidth, picture.videoHeight] : [picture.width, picture.height];
  where.width = width;
  where.height = height;
  const scale = Math.max(width / w, height / h);
  const context = where.getContext("2d");
  context?.drawImage(picture, (width - w * scale) / 2, (height - h * scale) / 2, w * scale, h * scale);
}
