// SPDX-License-Identifier: Apache-2.0

/**
 * How long to wait before the next attempt: doubled each time up to a bound,
 * and of that a random part between half and all, so that the clients of a lost
 * node do not come back in one moment. Milliseconds.
 */
export class Backoff {
  #next;

  constructor({ first = 100, most = 15_000, random = Math.random } = {}) {
    if (!(first > 0) || !(most >= first))
      throw new RangeError('backoff: 0 < first <= most');
    this.first = first;
    this.most = most;
    this.random = random;
    this.#next = first;
  }

  next() {
    const whole = this.#next;
    this.#next = Math.min(this.most, whole * 2);
    return whole / 2 + (this.random() * whole) / 2;
  }

  reset() {
    this.#next = this.first;
  }
}

/** Ends early, with the signal's reason, if that is aborted. */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted)
      return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
