// SPDX-License-Identifier: Apache-2.0

import { Overflow, TroupeError } from './errors.js';

const BOUNDARY = new TextEncoder().encode('--00MsgBus00\n');
const HEADERS_BYTES_MAX = 16_384;
const PREFIX = '/msgbus/';
const decoder = new TextDecoder();

/**
 * Takes a multipart stream apart. A part has no length, its end is the next
 * boundary: a body with that text in it comes in pieces. Pure.
 */
export class MultipartReader {
  #buffer = new Uint8Array(4096);
  #used = 0;
  #searched = 0;
  #begun = false; // behind the first boundary
  #messageBytesMax;

  constructor(messageBytesMax) {
    this.#messageBytesMax = messageBytesMax;
  }

  /** The messages that are whole now: { channel, sender, type, data }. */
  feed(chunk) {
    this.#append(chunk);
    const bytes = this.#buffer.subarray(0, this.#used);
    const out = [];
    let start = 0;
    for (;;) {
      const end = find(bytes, BOUNDARY, Math.max(start, this.#searched));
      if (end < 0)
        break;
      if (this.#begun)
        out.push(part(bytes.subarray(start, end)));
      else if (end > 0)
        throw new TroupeError('the stream does not begin with its boundary');
      this.#begun = true;
      start = end + BOUNDARY.length;
    }
    this.#buffer.copyWithin(0, start, this.#used);
    this.#used -= start;
    this.#searched = Math.max(0, this.#used - BOUNDARY.length + 1);
    if (this.#used > this.#messageBytesMax + HEADERS_BYTES_MAX)
      throw new Overflow(`a message above ${this.#messageBytesMax} bytes`);
    return out;
  }

  #append(chunk) {
    const needed = this.#used + chunk.length;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#used));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#used);
    this.#used = needed;
  }
}

function part(bytes) {
  const end = find(bytes, [10, 10], 0);
  if (end < 0)
    throw new TroupeError('the stream has a part without headers');
  const out = { data: bytes.slice(end + 2) };
  for (const line of decoder.decode(bytes.subarray(0, end)).split('\n')) {
    const colon = line.indexOf(': ');
    const value = line.slice(colon + 2);
    switch (line.slice(0, colon).toLowerCase()) {
      case 'from':
        out.sender = value;
        break;
      case 'content-type':
        out.type = value;
        break;
      case 'content-location':
        out.channel = value.startsWith(PREFIX)
          ? value.slice(PREFIX.length)
          : value;
        break;
    }
  }
  return out;
}

function find(bytes, what, from) {
  for (let at = bytes.indexOf(what[0], from); at >= 0;
    at = bytes.indexOf(what[0], at + 1)) {
    if (at + what.length > bytes.length)
      return -1;
    let same = 1;
    while (same < what.length && bytes[at + same] === what[same])
      ++same;
    if (same === what.length)
      return at;
  }
  return -1;
}
