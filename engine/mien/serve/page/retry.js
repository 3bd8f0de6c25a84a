// When to try again: pure arithmetic, so that it can be tested without waiting.

const FIRST = 0.5;
const LONGEST = 8;

/**
 * Seconds to wait before attempt number `attempt` (0 is the first again): doubled each time, with a little chance so
 * that many pages do not come back at once.
 * @param {number} attempt
 * @param {number} chance 0..1
 */
export function pause(attempt, chance) {
  return Math.min(LONGEST, FIRST * 2 ** attempt) * (0.8 + 0.4 * chance);
}

/**
 * Whether received media has stopped: bytes that do not grow.
 * One calls `seen` now and then with the bytes so far and the time in seconds.
 */
export class Pulse {
  /** @param {number} patience seconds without a byte that are borne */
  constructor(patience) {
    this.patience = patience;
    this.bytes = -1;
    this.at = 0;
  }

  /** @param {number} bytes @param {number} now @returns {boolean} whether it still beats */
  seen(bytes, now) {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.at = now;
    }
    return now - this.at <= this.patience;
  }
}
