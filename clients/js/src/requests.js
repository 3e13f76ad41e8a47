// SPDX-License-Identifier: Apache-2.0

import { Backoff } from './backoff.js';
import { OutcomeUnknown, Overflow, Refused, TimedOut } from './errors.js';
import { Waiter } from './waiters.js';

/** After these a request may be tried again later. */
const TEMPORARY = new Set([
  'inbox full',
  'server busy',
  'server error',
  'service unavailable',
  'storage full',
  'timed out',
  'too many requests',
]);
/** Of these, what passes by itself while a cluster finds a new leader. */
const PASSING = new Set(['server busy', 'service unavailable', 'timed out']);

/**
 * Requests that wait for their acks, over connections, in the order they were
 * made. Bounded by number and bytes; each has a deadline. One that may be
 * repeated (the broker recognises it) is sent again on the next connection.
 */
export class Requests {
  #all = new Map(); // id to entry
  #bytes = 0;

  constructor({ countMax, bytesMax, send }) {
    this.countMax = countMax;
    this.bytesMax = bytesMax;
    /** Sends if there is a connection; whether it did. */
    this.send = send;
  }

  get count() {
    return this.#all.size;
  }

  /** The promise of the ack's remark, "" if none. */
  add(id, bytes, { repeatable, timeout, signal, onSent }) {
    if (this.#all.has(id))
      throw new TypeError(`a request with the id ${id} is under way`);
    if (this.#all.size >= this.countMax)
      throw new Overflow(`${this.countMax} requests wait for answers`);
    if (this.#bytes + bytes.length > this.bytesMax && this.#all.size > 0)
      throw new Overflow(`${this.#bytes} bytes wait for answers`);
    const entry = { id, bytes, repeatable, onSent };
    entry.sent = entry.everSent = false;
    this.#all.set(id, entry);
    this.#bytes += bytes.length;
    entry.waiter = new Waiter({
      timeout,
      signal,
      forget: () => this.#remove(entry),
      late: () =>
        new TimedOut(
          `no answer in ${timeout} ms` +
            (entry.everSent ? '' : ', as there was no connection'),
          { sent: entry.everSent },
        ),
    });
    if (!signal?.aborted)
      this.#transmit(entry);
    return entry.waiter.promise;
  }

  /** A new connection is ready. */
  connected() {
    for (const entry of [...this.#all.values()])
      this.#transmit(entry);
  }

  /**
   * The connection is gone. `complaint`: the server ended it because of
   * something in what was sent; repeating that would end the next one, too.
   */
  disconnected(reason, complaint) {
    const sent = [...this.#all.values()].filter((entry) => entry.sent);
    for (const entry of sent) {
      entry.sent = false;
      if (complaint && sent.length === 1)
        this.#fail(entry, new Refused(reason));
      else if (complaint || !entry.repeatable)
        this.#fail(
          entry,
          new OutcomeUnknown(`the connection was lost: ${reason}`),
        );
    }
  }

  answered({ id, type, error }) {
    const entry = this.#all.get(id);
    if (!entry)
      return; // given up meanwhile
    if (type === 'ok') {
      this.#remove(entry);
      entry.waiter.resolve(error ?? '');
    } else if (entry.repeatable && PASSING.has(error)) {
      this.#later(entry);
    } else {
      const reason = error ?? 'refused without a reason';
      const temporary = TEMPORARY.has(reason);
      this.#fail(entry, new Refused(reason, { temporary }));
    }
  }

  /** All fail with that. */
  end(error) {
    for (const entry of [...this.#all.values()])
      this.#fail(entry, error);
  }

  #transmit(entry) {
    if (entry.sent || entry.pausing !== undefined)
      return;
    entry.sent = this.send(entry.bytes);
    entry.everSent ||= entry.sent;
    if (entry.sent)
      entry.onSent?.();
  }

  #later(entry) {
    entry.sent = false;
    entry.backoff ??= new Backoff({ first: 200, most: 5_000 });
    entry.pausing = setTimeout(() => {
      entry.pausing = undefined;
      this.#transmit(entry);
    }, entry.backoff.next());
  }

  #remove(entry) {
    clearTimeout(entry.pausing);
    if (this.#all.delete(entry.id))
      this.#bytes -= entry.bytes.length;
  }

  #fail(entry, error) {
    this.#remove(entry);
    entry.waiter.reject(error);
  }
}
