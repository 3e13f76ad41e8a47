// SPDX-License-Identifier: Apache-2.0

import { TimedOut } from './errors.js';

/**
 * A promise with a deadline and a signal. `settle` is told the outcome by the
 * owner; whoever gives up first runs `forget`, so that nothing is handed to one
 * who has left.
 */
export class Waiter {
  #timer;
  #signal;
  #stop;

  constructor({ timeout, signal, forget, late }) {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = (value) => {
        this.#clear();
        resolve(value);
      };
      this.reject = (error) => {
        this.#clear();
        reject(error);
      };
    });
    const leave = (error) => {
      forget(this);
      this.reject(error);
    };
    if (signal?.aborted) {
      queueMicrotask(() => leave(signal.reason));
      return;
    }
    if (timeout !== undefined && timeout !== Infinity)
      this.#timer = setTimeout(
        () => leave(late?.() ?? new TimedOut(`nothing in ${timeout} ms`)),
        timeout,
      );
    if (signal) {
      this.#signal = signal;
      this.#stop = () => leave(signal.reason);
      signal.addEventListener('abort', this.#stop, { once: true });
    }
  }

  #clear() {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#stop);
  }
}
