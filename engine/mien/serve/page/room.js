// The other person in a room: who it is, and their picture and voice.

import { button, element, say, video } from "/page/dom.js";
import { eventsOf } from "/page/lines.js";
import { Peer } from "/page/peer.js";
import { Pulse, pause } from "/page/retry.js";
import { notice, status } from "/page/tell.js";

const WATCH_MS = 500;
const PATIENCE_S = 3;
/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The room of the address, `/room/NAME`, or "". */
export const roomOfAddress = () => decodeURIComponent(/^\/room\/([^/]+)\/?$/.exec(location.pathname)?.[1] ?? "");

export class Room {
  /**
   * @param {string} name
   * @param {import("/page/api.js").Api} api
   * @param {import("/page/call.js").Call} call
   */
  constructor(name, api, call) {
    this.name = name;
    this.api = api;
    this.call = call;
    this.picture = video("peer-video");
    /** @type {string | null} */
    this.other = null;
    /** @type {string[]} */
    this.members = [];
    element("peer-plate").hidden = false;
    document.body.classList.add("in-room");
    button("copy-button").addEventListener("click", () => this.#copy());
    button("hear-button").addEventListener("click", () => this.#hear());
    call.addEventListener("state", () => this.#meet());
  }

  /** Follow who is there, for as long as the page stands. */
  async follow() {
    for (let attempt = 0; ; attempt++) {
      try {
        for await (const { value } of eventsOf(await this.api.roomEvents(this.name, new AbortController().signal))) {
          attempt = 0;
          this.members = value.sessions;
          this.#meet();
        }
      } catch {
        // told by the session's own state; here it is only tried again
      }
      await sleep(pause(attempt, Math.random()) * 1000);
    }
  }

  /** Play who is there beside this page's own session, or nobody. */
  #meet() {
    const own = this.call.session?.id;
    const other = own ? (this.members.find((id) => id !== own) ?? null) : null;
    if (other === this.other) return this.#words();
    this.other = other;
    if (other) this.#play(other);
    else status("The other person has left");
    this.#words();
  }

  /** @param {string} id */
  async #play(id) {
    for (let attempt = 0; this.other === id; attempt++) {
      const peer = new Peer(this.call.iceServers);
      let place = "";
      try {
        await peer.play(async (offer) => {
          const answer = await this.api.play(id, offer);
          place = answer.place;
          return answer.sdp;
        });
        if (await this.#watch(peer, id)) attempt = -1;
      } catch {
        // tried again while they are listed
      }
      peer.close();
      this.api.leave(place).catch(() => {});
      this.picture.srcObject = null;
      this.#words();
      await sleep(pause(Math.max(attempt, 0), Math.random()) * 1000);
    }
  }

  /** Show them until media stops; whether a picture ever came. @param {Peer} peer @param {string} id */
  async #watch(peer, id) {
    const pulse = new Pulse(PATIENCE_S);
    let shown = false;
    while (this.other === id && !peer.gone) {
      const { received, frames } = await peer.counts();
      if (!pulse.seen(received, performance.now() / 1000)) break;
      if (frames > 0 && !shown) {
        shown = true;
        this.picture.srcObject = peer.stream;
        status("The other person is here");
        await this.#hear();
      }
      await sleep(WATCH_MS);
    }
    return shown;
  }

  async #hear() {
    const hear = button("hear-button");
    try {
      this.picture.muted = false;
      await this.picture.play();
      hear.hidden = true;
    } catch {
      this.picture.muted = true; // the browser wants a click first
      await this.picture.play().catch(() => {});
      hear.hidden = false;
    }
    this.#words();
  }

  #words() {
    const seen = this.picture.srcObject !== null;
    const silent = !button("hear-button").hidden;
    element("peer-word").hidden = seen && !silent;
    element("peer-plate").classList.toggle("seen", seen);
    button("copy-button").hidden = seen;
    const title = seen ? "Their sound is off" : this.other ? "Connecting to the other person" : this.call.session ? "Nobody else is here yet" : "A call for two";
    const text = seen ? "Your browser plays sound only after a click." : this.other ? "" : this.call.session ? "Send the other person this page's address." : "Start, and send the other person this page's address.";
    say(element("peer-title"), title);
    say(element("peer-text"), text);
  }

  async #copy() {
    const address = location.origin + location.pathname;
    try {
      await navigator.clipboard.writeText(address);
      notice(this.api.token ? "Copied, without the token: tell it to them apart from the address." : "Copied.");
    } catch {
      notice(address);
    }
  }
}
