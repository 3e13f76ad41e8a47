// SPDX-License-Identifier: Apache-2.0

import { Body } from './body.js';

/** Ids remembered of what was acknowledged: above any window, so that a
 * repetition that crossed its ack, or whose ack was lost, is known. */
const DONE_IDS_MAX = 4096;

const KINDS = {
  deliver: 'message',
  registered: 'aliases changed',
  listEdited: 'list changed',
};

/** A message in the inbox, in the application's hands until it is acked. */
export class Delivery extends Body {
  #ack;
  #acked = false;

  constructor({ header, etcText, data }, ack) {
    super(data);
    this.id = header.id;
    this.kind = KINDS[header.op];
    this.sender = header.from;
    this.etcText = etcText;
    this.position = header.seq;
    this.expires = header.expires === undefined
      ? undefined
      : new Date(header.expires);
    this.#ack = ack;
  }

  /** The JSON value beside the data; undefined if none, or if it is no JSON. */
  get etc() {
    try {
      return this.etcText === undefined ? undefined : JSON.parse(this.etcText);
    } catch {
      return undefined;
    }
  }

  get acked() {
    return this.#acked;
  }

  /** This device has it: it does not come again. Twice is once. */
  ack() {
    if (this.#acked)
      return;
    this.#acked = true;
    this.#ack();
  }
}

/**
 * What came and is not acknowledged. On the wire an ack stands for all before
 * it, so one goes out only for a row of acknowledged deliveries without a gap,
 * in the order of this connection; the cursor follows. Pure.
 */
export class Deliveries {
  #held = new Map(); // id to entry: with the application, over connections
  #done = new Set(); // ids acknowledged by the application, oldest first
  #flight = []; // entries that came on this connection
  #onAck;

  /** `onAck()` is told that there may be something to acknowledge. */
  constructor(onAck = () => {}) {
    this.#onAck = onAck;
    this.cursor = undefined;
  }

  get held() {
    return this.#held.size;
  }

  connected() {
    this.#flight = [];
  }

  /** A Delivery, or undefined for one the application has had already. */
  arrived(packet) {
    const { id, seq } = packet.header;
    const known = this.#held.get(id);
    if (known) {
      if (!this.#flight.includes(known))
        this.#flight.push(known);
      return undefined;
    }
    const entry = { id, position: seq, acked: false };
    this.#flight.push(entry);
    if (this.#done.has(id)) {
      entry.acked = true;
      this.#onAck();
      return undefined;
    }
    this.#held.set(id, entry);
    return new Delivery(packet, () => this.#acked(entry));
  }

  /** Moves the cursor; the id to acknowledge, undefined if none. */
  takeAck() {
    let last;
    while (this.#flight[0]?.acked)
      last = this.#flight.shift();
    if (last?.position !== undefined)
      this.cursor = Math.max(this.cursor ?? 0, last.position);
    return last?.id;
  }

  #acked(entry) {
    entry.acked = true;
    this.#held.delete(entry.id);
    this.#done.add(entry.id);
    if (this.#done.size > DONE_IDS_MAX)
      this.#done.delete(this.#done.values().next().value);
    this.#onAck();
  }
}
