// Numbers over the last minute, and means of what happened between two counts. Pure; time is given.

/** Samples of the last `span` seconds. */
export class Series {
  /** @param {number} span seconds */
  constructor(span) {
    this.span = span;
    /** @type {{at: number, value: number}[]} */
    this.samples = [];
  }

  /** @param {number} at seconds, never falling @param {number} value */
  push(at, value) {
    this.samples.push({ at, value });
    while (this.samples.length && this.samples[0].at < at - this.span) this.samples.shift();
  }

  clear() {
    this.samples.length = 0;
  }

  get last() {
    return this.samples.at(-1)?.value ?? null;
  }

  get largest() {
    return this.samples.reduce((most, { value }) => Math.max(most, value), 0);
  }
}

/** The mean of each stage since the last call, from counts and means that run from the beginning. */
export class StageMeans {
  constructor() {
    /** @type {Map<string, {count: number, total: number, mean: number}>} */
    this.before = new Map();
  }

  /**
   * @param {Record<string, {count: number, mean_ms: number}>} stages
   * @returns {Map<string, number>} milliseconds by stage, in the server's order; the last known where nothing happened
   */
  since(stages) {
    /** @type {Map<string, number>} */
    const means = new Map();
    for (const [name, { count, mean_ms }] of Object.entries(stages)) {
      const total = count * mean_ms;
      const old = this.before.get(name);
      const more = old && count >= old.count ? count - old.count : count;
      const spent = old && count >= old.count ? total - old.total : total;
      const mean = more > 0 ? Math.max(0, spent / more) : (old?.mean ?? 0);
      this.before.set(name, { count, total, mean });
      means.set(name, mean);
    }
    return means;
  }
}

/** Units a second from a number that grows. */
export class Rate {
  constructor() {
    this.total = 0;
    /** @type {number | null} */
    this.at = null;
  }

  /** @param {number} total @param {number} at seconds @returns {number} 0 at first and after a fall */
  since(total, at) {
    const rate = this.at !== null && at > this.at && total >= this.total ? (total - this.total) / (at - this.at) : 0;
    this.total = total;
    this.at = at;
    return rate;
  }
}

/**
 * A round number at or above `value`, for the top of an axis: 1, 2 or 5 times a power of ten.
 * @param {number} value
 */
export function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 5, 10].map((step) => step * power).find((step) => step >= value * (1 - 1e-9)) ?? value;
}
