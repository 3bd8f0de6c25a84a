// A session's life: camera, connection, loss and recovery. It shows nothing; it tells what happens by events.

import { ApiError } from "/page/api.js";
import { CameraError, openCamera } from "/page/camera.js";
import { eventsOf } from "/page/lines.js";
import { Peer } from "/page/peer.js";
import { Pulse, pause } from "/page/retry.js";
import { isActive } from "/page/states.js";

/**
 * @typedef {import("/page/states.js").State} State
 * @typedef {import("/page/states.js").StateName} StateName
 * @typedef {import("/page/api.js").Wish} Wish
 */

const WATCH_MS = 500;
const PATIENCE_S = 3;
const FIRST_PICTURE_S = 20;

/** The connection was lost; it is worth trying again. */
class Lost extends Error {}
/** The server ended the session while all was well. */
class Ended extends Error {}

/** @param {number} ms @param {AbortSignal} signal @param {Event["type"]} [early] an event of the window that ends it early */
function sleep(ms, signal, early) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      if (early) removeEventListener(early, done);
      signal.removeEventListener("abort", done);
      resolve(undefined);
    }
    if (early) addEventListener(early, done);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}

/**
 * Events: `state` (a State), `camera` and `stream` (a MediaStream or null), `statistics` (the server's), `counts` (ours),
 * `problem` (words). All as CustomEvent with `detail`.
 */
export class Call extends EventTarget {
  /** @param {import("/page/api.js").Api} api @param {() => Omit<Wish, "sdp">} wish what is wanted at present */
  constructor(api, wish) {
    super();
    this.api = api;
    this.wish = wish;
    /** @type {State} */
    this.state = { name: "checking" };
    /** @type {RTCIceServer[]} */
    this.iceServers = [];
    /** @type {MediaStream | null} */
    this.camera = null;
    /** @type {Peer | null} */
    this.peer = null;
    /** @type {import("/page/api.js").Session | null} */
    this.session = null;
    this.muted = false;
    this.covered = false;
    this.#stopping = new AbortController();
  }

  /** @type {AbortController} */
  #stopping;
  #resume = "";

  /** @param {string} type @param {unknown} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {State} state */
  become(state) {
    this.state = state;
    this.#tell("state", state);
  }

  get active() {
    return isActive(this.state.name);
  }

  /** Open the camera and stay connected until `stop` or what cannot be cured. @param {{camera: string, microphone: string}} devices */
  async start(devices) {
    if (this.active) return;
    const stopping = new AbortController();
    this.#stopping = stopping;
    this.become({ name: "asking" });
    try {
      const camera = await openCamera(devices.camera, devices.microphone);
      if (stopping.signal.aborted) return stopTracks(camera);
      this.#useCamera(camera);
      await this.#stayConnected(stopping.signal);
    } catch (error) {
      if (!stopping.signal.aborted) this.#end(stateOf(error));
    }
  }

  /** End in order. @param {boolean} leaving whether the page goes away meanwhile */
  stop(leaving = false) {
    const id = this.session?.id;
    this.#end({ name: "idle" });
    if (id) this.api.end(id, leaving).catch(() => {});
  }

  /** @param {State} state */
  #end(state) {
    this.#stopping.abort();
    this.#drop();
    this.session = null;
    this.#resume = "";
    if (this.camera) stopTracks(this.camera);
    this.camera = null;
    this.#tell("camera", null);
    this.become(state);
  }

  /** Change the running session; what is wrong is told, and thrown. @param {Record<string, unknown>} change */
  async change(change) {
    if (!this.session) return null;
    try {
      return await this.api.patch(this.session.id, change);
    } catch (error) {
      this.#tell("problem", error instanceof ApiError ? [error.message, error.advice].filter(Boolean).join(": ") : String(error));
      throw error;
    }
  }

  /** Use other devices, without a break where the kinds are the same. @param {{camera: string, microphone: string}} devices */
  async switchDevices(devices) {
    if (!this.camera || !this.peer) return;
    try {
      const camera = await openCamera(devices.camera, devices.microphone);
      const kinds = camera.getTracks().length === this.camera.getTracks().length;
      stopTracks(this.camera);
      this.#useCamera(camera);
      if (kinds) await this.peer.replaceCamera(camera);
      else this.peer.close(); // a new one is made, as after a loss
    } catch (error) {
      this.#end(stateOf(error));
    }
  }

  /** @param {MediaStream} camera */
  #useCamera(camera) {
    this.camera = camera;
    this.applyCover();
    this.#tell("camera", camera);
    for (const track of camera.getVideoTracks()) {
      track.addEventListener("ended", () => this.camera === camera && this.#end({ name: "no-camera", text: "The camera was unplugged or switched off." }));
    }
  }

  /** Let the microphone be heard or not, and the incoming picture be seen or not, at once and without the server. */
  applyCover() {
    for (const track of this.camera?.getAudioTracks() ?? []) track.enabled = !this.muted && !this.covered;
    for (const track of this.peer?.stream.getVideoTracks() ?? []) track.enabled = !this.covered;
  }

  /** @param {AbortSignal} stopping */
  async #stayConnected(stopping) {
    for (let attempt = 0; !stopping.aborted; attempt++) {
      try {
        if (attempt === 0 && !this.#resume) this.become({ name: "connecting" });
        await this.#connect(stopping);
        attempt = -1;
        await this.#watch(stopping);
      } catch (error) {
        if (stopping.aborted) return;
        await this.#recover(error, Math.max(attempt, 0), stopping);
      }
    }
  }

  /** Wait before the next attempt, or throw what no attempt will cure. @param {unknown} error @param {number} attempt @param {AbortSignal} stopping */
  async #recover(error, attempt, stopping) {
    this.#drop();
    if (error instanceof ApiError && error.status === 503) {
      const ms = Math.max(1, error.retryAfter) * 1000;
      const ready = await this.api.server().then((server) => server.ready, () => true);
      if (stopping.aborted) return;
      this.become({ name: ready ? "full" : "starting", until: performance.now() + ms });
      return sleep(ms, stopping);
    }
    const stale = error instanceof ApiError && [404, 410].includes(error.status) && this.#resume;
    if (stale) this.#resume = "";
    const passing = stale || error instanceof Lost || (error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500));
    if (!passing) throw error;
    const asked = error instanceof ApiError ? error.retryAfter : 0;
    const ms = Math.max(pause(attempt, Math.random()), asked) * 1000;
    this.become({ name: "lost", until: performance.now() + ms });
    await sleep(ms, stopping, "online");
  }

  /** @param {AbortSignal} stopping */
  async #connect(stopping) {
    if (!this.camera) throw new Lost("no camera");
    const peer = new Peer(this.iceServers);
    this.peer = peer;
    await peer.call(this.camera, async (sdp) => {
      const resume = this.#resume ? { resume: this.#resume } : {};
      const session = await this.api.createSession({ ...this.wish(), ...resume, sdp });
      if (stopping.aborted) this.api.end(session.id).catch(() => {}); // it came too late
      this.session = session;
      this.#resume = session.resume_token;
      return session.sdp;
    });
    this.applyCover();
    const until = performance.now() + FIRST_PICTURE_S * 1000;
    while (!stopping.aborted && (await peer.counts()).frames === 0) {
      if (peer.gone || performance.now() > until) throw new Lost("no picture came");
      await sleep(100, stopping);
    }
    if (stopping.aborted) return;
    this.applyCover();
    this.#tell("stream", peer.stream);
    this.become({ name: "running" });
  }

  /** Until the connection is lost, which throws, or is to stop. @param {AbortSignal} stopping */
  async #watch(stopping) {
    const { peer, session } = this;
    if (!peer || !session || stopping.aborted) return;
    const over = new AbortController();
    const both = AbortSignal.any([stopping, over.signal]);
    const pulse = new Pulse(PATIENCE_S);
    let beats = true;
    const gone = this.#readEvents(session.id, both, () => beats);
    const watching = (async () => {
      while (!both.aborted) {
        const counts = await peer.counts();
        beats = pulse.seen(counts.received, performance.now() / 1000);
        if (peer.gone || !beats) throw new Lost("media stopped");
        this.#tell("counts", counts);
        await sleep(WATCH_MS, both);
      }
    })();
    try {
      await Promise.race([gone, watching]);
    } finally {
      over.abort();
      await Promise.allSettled([gone, watching]);
    }
  }

  /** Tell statistics as they come. @param {string} id @param {AbortSignal} over @param {() => boolean} beats whether media still came */
  async #readEvents(id, over, beats) {
    for (let attempt = 0; !over.aborted; attempt++) {
      try {
        for await (const { event, value } of eventsOf(await this.api.events(id, over))) {
          attempt = 0;
          if (event === "ended") throw new Ended();
          this.#tell("statistics", value);
        }
      } catch (error) {
        if (over.aborted) return;
        if (error instanceof Ended) throw error;
        if (error instanceof ApiError && [404, 410].includes(error.status)) throw beats() ? new Ended() : new Lost("the session is gone");
      }
      await sleep(pause(attempt, Math.random()) * 1000, over);
    }
  }

  #drop() {
    this.peer?.close();
    this.peer = null;
    this.#tell("stream", null);
  }
}

/** @param {MediaStream} stream */
function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** @param {unknown} error @returns {State} */
function stateOf(error) {
  if (error instanceof CameraError) return { name: error.problem };
  if (error instanceof Ended) return { name: "ended" };
  if (!(error instanceof ApiError)) return { name: "refused", text: error instanceof Error ? error.message : String(error) };
  if (error.status === 401) return { name: "token" };
  if (error.status === 409) return { name: "room-full" };
  return { name: "refused", text: [error.message, error.advice].filter(Boolean).join(". ") };
}
