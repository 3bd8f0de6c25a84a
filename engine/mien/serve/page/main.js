// Puts the page together: what is chosen, what runs, what is shown.

import { Api, ApiError } from "/page/api.js";
import { Backdrop } from "/page/backdrop.js";
import { Call } from "/page/call.js";
import { listDevices, mayOpenSilently } from "/page/camera.js";
import { button, byId, element, input, say } from "/page/dom.js";
import { Gallery } from "/page/gallery.js";
import { findToken, tab } from "/page/kept.js";
import { setUpKeys } from "/page/keys.js";
import { Look } from "/page/look.js";
import { Motion, PRESETS } from "/page/motion.js";
import { MorphChoice } from "/page/morph.js";
import { Room, roomOfAddress } from "/page/room.js";
import { Somebody } from "/page/somebody.js";
import { Stage } from "/page/stage.js";
import { notice, status } from "/page/tell.js";
import { setUpTheme } from "/page/theme.js";
import { StyleChoice } from "/page/style.js";
import { Transport } from "/page/transport.js";
import { Upload } from "/page/upload.js";
import { Verify } from "/page/verify.js";
import { Vitals } from "/page/vitals.js";
import { pause } from "/page/retry.js";

const STEER_EVERY_MS = 80;
const STAYS = "the portrait stays as it is";

const api = new Api(findToken());
const stage = new Stage();
const roomName = roomOfAddress();
const bad = (/** @type {string} */ text) => notice(text, "bad");

const gallery = new Gallery(api, choosePortrait, bad, (portraits) => morph.offer(portraits));
const motion = new Motion((gains) => steer({ gains }));
const look = new Look(steer);
const style = new StyleChoice((change) => call.change(change).catch(() => {}));
const morph = new MorphChoice((change) => call.change(change).catch(() => {}), steer);
const backdrop = new Backdrop((change) => call.change(change).catch(() => {}));
const call = new Call(api, () => ({
  portrait: gallery.value,
  gains: motion.gains,
  ...look.values,
  style: style.value,
  ...morph.values,
  background: backdrop.background,
  target_latency_ms: backdrop.latency,
  ...(roomName ? { room: roomName } : {}),
}));
const vitals = new Vitals(() => backdrop.latency);
const transport = new Transport(call, stage);
/** @param {import("/page/api.js").Portrait} portrait */
async function addPortrait(portrait) {
  await gallery.load();
  gallery.choose(portrait.id);
  status(`${portrait.name} was added and is chosen`);
}
new Upload(api, addPortrait, bad);
new Somebody(api, addPortrait);
new Verify(api);
const room = roomName ? new Room(roomName, api, call) : null;

/** @param {import("/page/api.js").Portrait} portrait */
async function choosePortrait(portrait) {
  try {
    stage.showStill(await gallery.pictureOf(portrait), portrait.name);
  } catch (error) {
    bad(`${portrait.name} cannot be shown: ${error instanceof Error ? error.message : error}`);
  }
  if (call.session && call.session.portrait !== portrait.id) {
    call.session.portrait = portrait.id;
    await call.change({ portrait: portrait.id }).catch(() => {});
  }
}

let steering = 0;
/** What the sliders ask for next. @type {Record<string, unknown>} */
let steered = {};
/** A slider that is dragged tells faster than anybody needs. @param {Record<string, unknown>} change */
function steer(change) {
  if (!call.session) return;
  Object.assign(steered, change);
  if (steering) return;
  steering = setTimeout(() => {
    const asked = steered;
    [steering, steered] = [0, {}];
    call.change(asked).catch(() => {});
  }, STEER_EVERY_MS);
}

const devices = () => ({ camera: byId("camera-select", HTMLSelectElement).value, microphone: byId("microphone-select", HTMLSelectElement).value });

async function start() {
  vitals.reset();
  noticed = -1;
  await call.start(devices());
}

/** What was changed while the connection was lost. */
function catchUp() {
  const { room: _, portrait, ...wish } = call.wish();
  const other = portrait !== null && call.session?.portrait !== portrait ? { portrait } : {};
  call.change({ ...wish, ...other, paused: transport.paused, panic: call.covered }).catch(() => {});
}

let noticed = -1;
/** What is new; where another portrait could not be made, the one that is shown is the chosen one again. @param {any} told */
function tellNotices(told) {
  for (const { number, text } of told.notices) {
    if (number <= noticed) continue;
    noticed = number;
    bad(text);
    if (text.startsWith("morph:")) morph.refused();
    if (!call.session || !text.endsWith(STAYS) || told.portrait === gallery.value) continue;
    call.session.portrait = told.portrait;
    gallery.choose(told.portrait);
  }
}

/** What a session tells is shown; where it ends, too. */
function followCall() {
  call.addEventListener("state", (event) => {
    const state = /** @type {CustomEvent} */ (event).detail;
    const before = stage.state.name;
    stage.show(state);
    transport.follow();
    if (state.name === "running") {
      if (before === "lost" || call.covered) catchUp();
      tab.set("running", true);
    } else if (!call.active) tab.set("running", null);
  });
  call.addEventListener("camera", (event) => {
    stage.showCamera(/** @type {CustomEvent} */ (event).detail);
    refreshDevices();
  });
  call.addEventListener("stream", (event) => stage.showResult(/** @type {CustomEvent} */ (event).detail));
  call.addEventListener("counts", (event) => vitals.count(/** @type {CustomEvent} */ (event).detail));
  call.addEventListener("problem", (event) => bad(/** @type {CustomEvent} */ (event).detail));
  call.addEventListener("statistics", (event) => {
    const told = /** @type {CustomEvent} */ (event).detail;
    vitals.take(told);
    stage.showFace(told.face === null ? null : told.face === "found");
    tellNotices(told);
    transport.prepare(told.portrait !== gallery.value);
  });
}

async function refreshDevices() {
  await listDevices(byId("camera-select", HTMLSelectElement), "videoinput").catch(() => {});
  await listDevices(byId("microphone-select", HTMLSelectElement), "audioinput").catch(() => {});
}

function followButtons() {
  button("start-button").addEventListener("click", start);
  button("word-button").addEventListener("click", () => (call.active ? call.stop() : dispatchEvent(new Event("try-now"))));
  for (const id of ["camera-select", "microphone-select"]) element(id).addEventListener("change", () => call.switchDevices(devices()));
  navigator.mediaDevices?.addEventListener("devicechange", refreshDevices);
  byId("token-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    api.token = input("token-input").value.trim();
    tab.set("token", api.token);
    meetServer();
  });
  byId("room-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    location.assign(`/room/${encodeURIComponent(input("room-input").value.trim().toLowerCase())}`);
  });
}

/** Ask what the server offers, again and again until it answers. */
async function meetServer() {
  for (let attempt = 0; ; attempt++) {
    if (attempt === 0) call.become({ name: "checking" });
    try {
      const server = await api.server();
      if (server.token_required && !server.authorised) throw new ApiError(401, "a token is needed");
      call.iceServers = server.ice_servers ?? [];
      style.offer(server.styles ?? []);
      say(element("colophon"), `mien ${server.version}`);
      await gallery.load();
      return call.become({ name: "idle" });
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        if (api.token) bad("That token was not the right one.");
        return call.become({ name: "token" });
      }
      const ms = pause(attempt, Math.random()) * 1000;
      call.become({ name: "unreachable", until: performance.now() + ms, text: error instanceof ApiError && error.status ? error.message : undefined });
      await new Promise((resolve) => {
        setTimeout(resolve, ms);
        addEventListener("try-now", resolve, { once: true });
      });
    }
  }
}

setUpTheme(() => vitals.draw());
setUpKeys([
  ...transport.keys,
  ...morph.keys,
  { key: "n", name: "Next portrait", act: () => gallery.next() },
  ...Object.keys(PRESETS).map((name, number) => ({ key: String(number + 1), name: `Motion: ${name.replace("-", " ")}`, act: () => motion.choose(name) })),
]);
followCall();
followButtons();
addEventListener("pagehide", () => {
  const ran = tab.get("running");
  if (call.active) call.stop(true);
  tab.set("running", ran);
});
addEventListener("pageshow", (event) => event.persisted && location.reload());
if (roomName) {
  document.title = `${roomName} · mien`;
  element("room-card").hidden = true;
}

const ran = tab.get("running");
await meetServer();
room?.follow();
// After a reload it goes on by itself, but never with a question that nobody asked for.
if (ran && call.state.name === "idle" && (await mayOpenSilently())) await start();
