// The server's HTTP interface, with the token and with errors that say what to do.

/**
 * @typedef {{id: string, name: string, width: number, height: number, picture: string, sample: boolean}} Portrait
 * @typedef {{version: string, token_required: boolean, authorised: boolean, ready: boolean, ice_servers: RTCIceServer[], mark: boolean, gain_limit: number, styles: string[]}} Server
 * @typedef {{id: string, sdp: string, resume_token: string, portrait: string}} Session
 * @typedef {{sdp: string, portrait: string | null, room?: string, gains?: Record<string, number>,
 *   target_latency_ms?: number, background?: string, relax?: number, wrinkles?: number, style?: string, morph?: string,
 *   degree?: number, resume?: string}} Wish
 */

/** An answer that is no success. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 where no answer came.
   * @param {string} message
   * @param {string} advice what to do, or "".
   * @param {number} retryAfter seconds, 0 where the server names none.
   */
  constructor(status, message, advice = "", retryAfter = 0) {
    super(message);
    this.status = status;
    this.advice = advice;
    this.retryAfter = retryAfter;
  }
}

/**
 * Seconds from a Retry-After header: a number or a date.
 * @param {string | null} header
 * @param {number} now milliseconds since 1970
 */
export function retryAfter(header, now) {
  if (!header) return 0;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : 0;
}

/** @param {Response} response */
async function errorOf(response) {
  const wait = retryAfter(response.headers.get("Retry-After"), Date.now());
  try {
    const { error } = await response.json();
    return new ApiError(response.status, String(error.message ?? error.what), String(error.do ?? ""), wait);
  } catch {
    return new ApiError(response.status, `the server answered ${response.status}`, "", wait);
  }
}

export class Api {
  /** @param {string} token "" where there is none. */
  constructor(token = "") {
    this.token = token;
  }

  /**
   * Ask, and give the answer back if it is a success.
   * @param {string} method
   * @param {string} path
   * @param {{body?: BodyInit, type?: string, keepalive?: boolean, signal?: AbortSignal}} [options]
   * @returns {Promise<Response>}
   * @throws {ApiError}
   */
  async ask(method, path, { body, type, keepalive, signal } = {}) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (type) headers["Content-Type"] = type;
    let response;
    try {
      response = await fetch(path, { method, headers, body, keepalive, signal, cache: "no-store" });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(0, "the server cannot be reached");
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  /** @param {string} method @param {string} path @param {unknown} value */
  #send(method, path, value) {
    return this.ask(method, path, { body: JSON.stringify(value), type: "application/json" });
  }

  /** @returns {Promise<Server>} */
  async server() {
    return (await this.ask("GET", "/api/v1/server")).json();
  }

  /** Samples first. @returns {Promise<Portrait[]>} */
  async portraits() {
    return (await (await this.ask("GET", "/api/v1/portraits")).json()).portraits;
  }

  /** @param {Portrait} portrait @returns {Promise<ImageBitmap>} */
  async picture(portrait) {
    return createImageBitmap(await (await this.ask("GET", portrait.picture)).blob());
  }

  /** @param {Blob} picture @param {string} name @param {string} consent @returns {Promise<Portrait>} */
  async upload(picture, name, consent) {
    const form = new FormData();
    form.append("consent", consent);
    form.append("picture", picture, name);
    return (await this.ask("POST", "/api/v1/portraits", { body: form })).json();
  }

  /** A picture of nobody. @param {Record<string, unknown>} wish @returns {Promise<Blob>} */
  async somebody(wish) {
    return (await this.#send("POST", "/api/v1/avatars", wish)).blob();
  }

  /** What a file says of itself. @param {File} file @returns {Promise<{good: boolean, lines: string[], details: Record<string, unknown>}>} */
  async verify(file) {
    const form = new FormData();
    form.append("file", file, file.name);
    return (await this.ask("POST", "/api/v1/verify", { body: form })).json();
  }

  /** @param {string} id */
  async removePortrait(id) {
    await this.ask("DELETE", `/api/v1/portraits/${encodeURIComponent(id)}`);
  }

  /** @param {Wish} wish @returns {Promise<Session>} */
  async createSession(wish) {
    return (await this.#send("POST", "/api/v1/sessions", wish)).json();
  }

  /** @param {string} id @param {Record<string, unknown>} change */
  async patch(id, change) {
    return (await this.#send("PATCH", `/api/v1/sessions/${encodeURIComponent(id)}`, change)).json();
  }

  /** @param {string} id @param {boolean} leaving whether the page goes away meanwhile */
  async end(id, leaving = false) {
    await this.ask("DELETE", `/api/v1/sessions/${encodeURIComponent(id)}`, { keepalive: leaving });
  }

  /** @param {string} id @param {AbortSignal} signal */
  events(id, signal) {
    return this.ask("GET", `/api/v1/sessions/${encodeURIComponent(id)}/events`, { signal });
  }

  /** @param {string} name @param {AbortSignal} signal */
  roomEvents(name, signal) {
    return this.ask("GET", `/api/v1/rooms/${encodeURIComponent(name)}/events`, { signal });
  }

  /** Play a session (WHEP). @param {string} id @param {string} sdp @returns {Promise<{sdp: string, place: string}>} */
  async play(id, sdp) {
    const path = `/whep/${encodeURIComponent(id)}`;
    const answer = await this.ask("POST", path, { body: sdp, type: "application/sdp" });
    return { sdp: await answer.text(), place: answer.headers.get("Location") ?? "" };
  }

  /** Stop playing. @param {string} place as `play` gave it */
  async leave(place) {
    if (place) await this.ask("DELETE", place, { keepalive: true });
  }
}
