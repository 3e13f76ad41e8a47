// SPDX-License-Identifier: Apache-2.0
// websocket.MQ's messages: LLLL header [etc] [data]. See docs/protocols/mq.md.

import { TroupeError } from './errors.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const HEADER_BYTES_MAX = 0xffff;

/** Text, bytes in any of JavaScript's forms, or nothing. */
export function toBytes(data) {
  if (data === undefined || data === null)
    return new Uint8Array(0);
  if (typeof data === 'string')
    return encoder.encode(data);
  if (data instanceof ArrayBuffer)
    return new Uint8Array(data);
  if (ArrayBuffer.isView(data))
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw new TypeError('data must be a text or bytes');
}

/** `etc` is any JSON value, or undefined for none. */
export function encodePacket(header, { etc, data } = {}) {
  const etcText = etc === undefined ? undefined : JSON.stringify(etc);
  if (etc !== undefined && etcText === undefined)
    throw new TypeError('etc is no JSON value');
  const etcBytes = encoder.encode(etcText ?? '');
  const full = etcText === undefined
    ? header
    : { ...header, etc: etcBytes.length };
  const text = ascii(JSON.stringify(full));
  if (text.length > HEADER_BYTES_MAX)
    throw new RangeError(`the header is ${text.length} bytes, above 65535`);
  const head = encoder.encode(text.length.toString(16).padEnd(4, ' ') + text);
  const body = toBytes(data);
  const out = new Uint8Array(head.length + etcBytes.length + body.length);
  out.set(head);
  out.set(etcBytes, head.length);
  out.set(body, head.length + etcBytes.length);
  return out;
}

/** The header's fields, `etcText` (undefined if none) and `data`. */
export function decodePacket(bytes) {
  const lead = decoder.decode(bytes.subarray(0, 4));
  const size = /^[0-9a-f]{1,4} *$/.test(lead) ? parseInt(lead, 16) : -1;
  if (bytes.length < 4 || size < 0 || bytes.length < 4 + size)
    throw new TroupeError('the server sent no message of websocket.MQ');
  let header;
  try {
    header = JSON.parse(decoder.decode(bytes.subarray(4, 4 + size)));
  } catch (e) {
    throw new TroupeError('the server sent a broken header', { cause: e });
  }
  if (typeof header?.op !== 'string')
    throw new TroupeError('the server sent a header without op');
  if (typeof header.etc !== 'number')
    return { header, etcText: undefined, data: bytes.subarray(4 + size) };
  const cut = 4 + size + header.etc;
  if (!(header.etc >= 0) || cut > bytes.length)
    throw new TroupeError('the server sent less than it announced');
  return {
    header,
    etcText: decoder.decode(bytes.subarray(4 + size, cut)),
    data: bytes.subarray(cut),
  };
}

function ascii(json) {
  return json.replace(
    /[\u007f-\uffff]/g,
    (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'),
  );
}
