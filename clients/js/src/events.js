// SPDX-License-Identifier: Apache-2.0

import { Overflow, TroupeError } from './errors.js';
import { toBytes } from './packets.js';

/** How much longer than its body an event can be: base64 and JSON's escapes. */
const EXPANSION = 6;
const EVENT_BYTES_MIN = 16_384;

/** Takes a text/event-stream of format=json apart. Pure. */
export class EventReader {
  #decoder = new TextDecoder();
  #line = []; // pieces of one that has no end yet
  #data = [];
  #size = 0; // of both, in characters
  #charsMax;

  constructor(messageBytesMax) {
    this.#charsMax = messageBytesMax * EXPANSION + EVENT_BYTES_MIN;
  }

  /** The messages that are whole now: { channel, sender, type, id, data }. */
  feed(chunk) {
    const pieces = this.#decoder.decode(chunk, { stream: true }).split('\n');
    const rest = pieces.pop();
    const out = [];
    for (const piece of pieces) {
      const line = [...this.#line.splice(0), piece].join('');
      this.#size += piece.length;
      if (line.startsWith('data:')) {
        this.#data.push(line.slice(line[5] === ' ' ? 6 : 5));
      } else if (line === '' && this.#data.length > 0) {
        out.push(message(this.#data.splice(0).join('\n')));
        this.#size = 0;
      } else { // comments; "id" and "event" are in the data, too
        this.#size -= line.length;
      }
    }
    this.#line.push(rest);
    this.#size += rest.length;
    if (this.#size > this.#charsMax)
      throw new Overflow('an event above the bound');
    return out;
  }
}

function message(text) {
  let fields;
  try {
    fields = JSON.parse(text);
  } catch (e) {
    throw new TroupeError('the stream has an event that is no JSON',
      { cause: e });
  }
  const { channel, sender, type, id, data, base64 } = fields;
  const body = base64 === undefined ? toBytes(data ?? '') : fromBase64(base64);
  return { channel, sender, type, id, data: body };
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
