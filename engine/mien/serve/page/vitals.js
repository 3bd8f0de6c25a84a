// How it runs: the server's statistics and the connection's, as charts and as numbers.

import { canvas, element, make, say } from "/page/dom.js";
import { drawLevels, drawLines, drawStack } from "/page/chart.js";
import { Rate, Series, StageMeans } from "/page/series.js";

/**
 * @typedef {{count: number, mean_ms: number, p50_ms: number, p95_ms: number, p99_ms: number}} Stage
 * @typedef {{stages: Record<string, Stage>, frames: Record<string, number>, level: string, cause: string | null, fps_in: number, fps_out: number, latency_ms: number | null, backend: string,
 *   connection: {codec?: string | null, round_trip_ms?: number | null, packets_lost?: number | null} | null}} Told
 */

const SPAN = 60;
const WHOLE = "capture_to_emit";
const LEVELS = ["full", "half", "warp", "hold"];
const DESCRIBE_MS = 5000;
/** @type {Record<string, string>} */
const FACTS = { in: "pictures in", out: "pictures out", dropped: "replaced by newer ones", broken: "broken", without_face: "without a face" };

/** "capture_to_emit" as "capture to emit" @param {string} stage */
const worded = (stage) => stage.replaceAll("_", " ");
const seconds = () => performance.now() / 1000;

/** All that is remembered of a run, empty. */
function begun() {
  return {
    stages: /** @type {Map<string, Series>} */ (new Map()),
    means: new StageMeans(),
    fps: new Series(SPAN),
    received: new Series(SPAN),
    sent: new Series(SPAN),
    level: new Series(SPAN),
    rates: { frames: new Rate(), received: new Rate(), sent: new Rate() },
  };
}

export class Vitals {
  /** @param {() => number} target milliseconds to hold */
  constructor(target) {
    this.target = target;
    this.described = 0;
    this.run = begun();
    this.draw();
    addEventListener("resize", () => this.draw());
  }

  /** Forget everything, as when a session begins. */
  reset() {
    this.run = begun();
  }

  /** @param {Told} told what the server says, about four times a second */
  take(told) {
    const now = seconds();
    const means = this.run.means.since(told.stages);
    const whole = means.get(WHOLE) ?? 0;
    means.delete(WHOLE);
    const spent = [...means.values()].reduce((sum, mean) => sum + mean, 0);
    means.set("waiting", Math.max(0, whole - spent));
    for (const [name, mean] of means) this.#stage(name).push(now, mean);
    this.run.level.push(now, Math.max(0, LEVELS.indexOf(told.level)));
    say(element("latency-now"), `${Math.round(told.latency_ms ?? whole)} ms`);
    say(element("level-now"), told.level);
    say(element("level-cause"), told.cause ?? "");
    say(element("backend-note"), told.backend.split(",")[0]); // why this one is told below, once
    element("backend-note").title = told.backend;
    say(element("fps-hint"), `The server gets ${Math.round(told.fps_in)}, makes ${Math.round(told.fps_out)}`);
    say(element("bitrate-hint"), describeConnection(told.connection));
    this.#fillNumbers(told, means);
    this.draw();
  }

  /** @param {import("/page/peer.js").Counts} counts what the connection says, twice a second */
  count(counts) {
    const now = seconds();
    const fps = this.run.rates.frames.since(counts.frames, now);
    const received = (this.run.rates.received.since(counts.received, now) * 8) / 1000;
    const sent = (this.run.rates.sent.since(counts.sent, now) * 8) / 1000;
    this.run.fps.push(now, fps);
    this.run.received.push(now, received);
    this.run.sent.push(now, sent);
    say(element("fps-now"), fps.toFixed(0));
    say(element("bitrate-now"), `${Math.round(received)} in, ${Math.round(sent)} out`);
  }

  draw() {
    const now = seconds();
    const layers = [...this.run.stages].map(([name, series], number) => ({ name, series, colour: colourOf(name, number) }));
    drawStack(canvas("latency-chart"), layers, now, "ms", this.target());
    drawLines(canvas("fps-chart"), [{ series: this.run.fps, colour: "--series-a" }], now, "a second", 30);
    const bits = [{ series: this.run.sent, colour: "--series-b" }, { series: this.run.received, colour: "--series-a" }];
    drawLines(canvas("bitrate-chart"), bits, now, "kbit/s", 500);
    drawLevels(canvas("level-chart"), this.run.level, LEVELS, now);
    this.#legend(layers);
    this.#describe();
  }

  /** @param {string} name */
  #stage(name) {
    const known = this.run.stages.get(name) ?? new Series(SPAN);
    this.run.stages.set(name, known);
    return known;
  }

  /** @param {{name: string, series: Series, colour: string}[]} layers */
  #legend(layers) {
    const legend = element("latency-legend");
    while (legend.children.length > layers.length) legend.lastChild?.remove();
    layers.forEach(({ name, series, colour }, number) => {
      const item = legend.children[number] ?? legend.appendChild(make("li", {}, make("i"), make("span"), make("b")));
      const [key, label, value] = item.children;
      /** @type {HTMLElement} */ (key).style.setProperty("background-color", `var(${colour})`);
      say(label, worded(name));
      say(value, (series.last ?? 0).toFixed(series.last !== null && series.last < 9.95 ? 1 : 0));
    });
  }

  /** Tell screen readers what the charts show, but not four times a second. */
  #describe() {
    if (performance.now() - this.described < DESCRIBE_MS) return;
    this.described = performance.now();
    const stages = [...this.run.stages].map(([name, { last }]) => `${worded(name)} ${(last ?? 0).toFixed(1)}`).join(", ");
    const now = (/** @type {string} */ id) => element(id).textContent;
    canvas("latency-chart").setAttribute("aria-label", `Latency by stage in milliseconds: ${stages || "nothing yet"}`);
    canvas("fps-chart").setAttribute("aria-label", `Pictures a second: ${now("fps-now")}`);
    canvas("bitrate-chart").setAttribute("aria-label", `Bitrate in kilobits a second: ${now("bitrate-now")}`);
    canvas("level-chart").setAttribute("aria-label", `Level: ${now("level-now")}`);
  }

  /** @param {Told} told @param {Map<string, number>} means */
  #fillNumbers(told, means) {
    const numbers = element("numbers");
    if (!(/** @type {HTMLDetailsElement} */ (numbers.closest("details")).open)) return;
    const ms = (/** @type {number | undefined} */ value) => make("td", {}, value === undefined ? "–" : value.toFixed(1));
    numbers.replaceChildren(
      ...Object.entries(told.stages).map(([name, stage]) =>
        make("tr", {}, make("th", { scope: "row" }, worded(name)), ms(means.get(name)), ms(stage.p50_ms), ms(stage.p95_ms), ms(stage.p99_ms), make("td", {}, String(stage.count))),
      ),
    );
    element("facts").replaceChildren(
      make("div", {}, make("dt", {}, "made by"), make("dd", {}, told.backend)),
      ...Object.entries(FACTS).map(([name, label]) => make("div", {}, make("dt", {}, label), make("dd", {}, String(told.frames[name] ?? 0)))),
    );
  }
}

/** @param {string} name @param {number} number */
const colourOf = (name, number) => (name === "waiting" ? "--stage-waiting" : `--stage-${number % 8}`);

/** "h264, round trip 12 ms, 3 packets lost": what is known. @param {Told["connection"]} connection */
function describeConnection(connection) {
  const { codec, round_trip_ms: ms, packets_lost: lost } = connection ?? {};
  return [codec?.toUpperCase(), typeof ms === "number" && `round trip ${Math.round(ms)} ms`, typeof lost === "number" && `${lost} packets lost`].filter(Boolean).join(", ");
}
