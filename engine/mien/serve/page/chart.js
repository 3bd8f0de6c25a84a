// Charts drawn on a canvas: a minute from left to right, in the page's colours.

import { roundUp } from "/page/series.js";

/**
 * @typedef {import("/page/series.js").Series} Series
 * @typedef {{series: Series, colour: string}} Line `colour` is the name of a custom property.
 * @typedef {{context: CanvasRenderingContext2D, width: number, height: number, now: number, top: number, ink: (name: string) => string}} Sheet
 */

const SPAN = 60;
const MARGIN = { left: 4, right: 4, top: 16, bottom: 4 };

/** A canvas made ready at the screen's resolution. @param {HTMLCanvasElement} canvas @param {number} now @param {number} top @returns {Sheet | null} */
function sheetOf(canvas, now, top) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = canvas.getContext("2d");
  if (!context || !width || !height) return null;
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  context.font = `11px ${style.fontFamily}`;
  const ink = (/** @type {string} */ name) => {
    canvas.style.color = `var(${name})`; // has the browser work the colour out
    return style.color;
  };
  return { context, width, height, now, top, ink };
}

/** @param {Sheet} sheet @param {number} at */
const xOf = ({ width, now }, at) => width - MARGIN.right - ((now - at) / SPAN) * (width - MARGIN.left - MARGIN.right);
/** @param {Sheet} sheet @param {number} value */
const yOf = ({ height, top }, value) => height - MARGIN.bottom - (Math.min(value, top) / top) * (height - MARGIN.top - MARGIN.bottom);

/** The base line, the line at the top, and what it stands for. @param {Sheet} sheet @param {string} label */
function drawFrame(sheet, label) {
  const { context, width, ink, top } = sheet;
  context.strokeStyle = ink("--hairline");
  context.lineWidth = 1;
  for (const value of [0, top / 2, top]) {
    const y = Math.round(yOf(sheet, value)) + 0.5;
    context.beginPath();
    context.moveTo(MARGIN.left, y);
    context.lineTo(width - MARGIN.right, y);
    context.stroke();
  }
  context.fillStyle = ink("--faint");
  context.fillText(label, MARGIN.left, MARGIN.top - 5);
}

/** @param {Sheet} sheet @param {{at: number, value: number}[]} samples */
function trace(sheet, samples) {
  sheet.context.beginPath();
  samples.forEach(({ at, value }, number) => {
    if (number === 0) sheet.context.moveTo(xOf(sheet, at), yOf(sheet, value));
    else sheet.context.lineTo(xOf(sheet, at), yOf(sheet, value));
  });
}

/**
 * Lines from zero to a round top.
 * @param {HTMLCanvasElement} canvas @param {Line[]} lines @param {number} now seconds @param {string} unit @param {number} [least] the lowest top
 */
export function drawLines(canvas, lines, now, unit, least = 1) {
  const top = roundUp(Math.max(least, ...lines.map(({ series }) => series.largest)));
  const sheet = sheetOf(canvas, now, top);
  if (!sheet) return;
  drawFrame(sheet, `${top} ${unit}`);
  sheet.context.lineJoin = "round";
  for (const { series, colour } of lines) {
    trace(sheet, series.samples);
    sheet.context.strokeStyle = sheet.ink(colour);
    sheet.context.lineWidth = 1.75;
    sheet.context.stroke();
  }
}

/**
 * Areas one upon the other, and a dashed line at a target.
 * @param {HTMLCanvasElement} canvas @param {Line[]} layers from below; all sampled at the same times
 * @param {number} now seconds @param {string} unit @param {number} target
 */
export function drawStack(canvas, layers, now, unit, target) {
  const length = Math.max(0, ...layers.map(({ series }) => series.samples.length));
  const sums = new Float64Array(length);
  const heights = layers.map(({ series }) => {
    const missing = length - series.samples.length;
    return series.samples.map(({ at, value }, number) => ({ at, low: sums[number + missing], value: (sums[number + missing] += value) }));
  });
  const top = roundUp(Math.max(target * 1.2, ...sums));
  const sheet = sheetOf(canvas, now, top);
  if (!sheet) return;
  heights.forEach((samples, number) => drawLayer(sheet, samples, layers[number].colour));
  drawFrame(sheet, `${top} ${unit}`);
  drawTarget(sheet, target, unit);
}

/** @param {Sheet} sheet @param {{at: number, low: number, value: number}[]} samples @param {string} colour */
function drawLayer(sheet, samples, colour) {
  if (samples.length < 2) return;
  trace(sheet, samples);
  for (const { at, low } of samples.toReversed()) sheet.context.lineTo(xOf(sheet, at), yOf(sheet, low));
  sheet.context.closePath();
  sheet.context.fillStyle = sheet.ink(colour);
  sheet.context.fill();
}

/** @param {Sheet} sheet @param {number} target @param {string} unit */
function drawTarget(sheet, target, unit) {
  const { context, width, ink } = sheet;
  const y = Math.round(yOf(sheet, target)) + 0.5;
  context.strokeStyle = ink("--ink");
  context.setLineDash([2, 4]);
  context.beginPath();
  context.moveTo(MARGIN.left, y);
  context.lineTo(width - MARGIN.right, y);
  context.stroke();
  context.setLineDash([]);
  const text = `to hold: ${target} ${unit}`;
  const x = width - MARGIN.right - context.measureText(text).width;
  context.lineWidth = 4;
  context.lineJoin = "round";
  context.strokeStyle = ink("--sheet"); // so that it can be read upon the layers
  context.strokeText(text, x, y - 6);
  context.fillStyle = ink("--ink");
  context.fillText(text, x, y - 6);
}

/**
 * Which of a few named levels it was, best on top.
 * @param {HTMLCanvasElement} canvas @param {Series} series values are places in `names` @param {string[]} names @param {number} now seconds
 */
export function drawLevels(canvas, series, names, now) {
  const sheet = sheetOf(canvas, now, 1);
  if (!sheet) return;
  const { context, height, width, ink } = sheet;
  const row = (height - MARGIN.bottom) / names.length;
  const left = Math.max(...names.map((name) => context.measureText(name).width)) + 12;
  const x = (/** @type {number} */ at) => Math.max(left, width - MARGIN.right - ((now - at) / SPAN) * (width - left - MARGIN.right));
  names.forEach((name, number) => {
    context.fillStyle = ink("--faint");
    context.fillText(name, MARGIN.left, row * (number + 0.5) + 4);
    context.fillStyle = ink("--hairline");
    context.fillRect(left, Math.round(row * (number + 0.5)), width - left - MARGIN.right, 1);
  });
  series.samples.forEach(({ at, value }, number) => {
    const until = series.samples[number + 1]?.at ?? now;
    context.fillStyle = ink(`--level-${value}`);
    context.fillRect(x(at), row * (value + 0.5) - 4, Math.max(1, x(until) - x(at) + 0.5), 8);
  });
}
