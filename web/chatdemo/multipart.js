// SPDX-License-Identifier: Apache-2.0
// Reads what /msgbus/ streams: parts behind each other, each a head of lines
// that end in LF, an empty line, the body, and directly behind it the boundary
// (docs/protocols/msgbus.md). How the bytes are cut into pieces means nothing.

const head_bytes_max = 16 * 1024;
const body_bytes_max = 4 * 1024 * 1024;
const line_feed = 10;

/** The boundary of "multipart/x-mixed-replace;boundary=…", or null. */
export function boundary_of(content_type) {
  const found = /^multipart\/[^;]+;\s*boundary="?([^";\s]+)"?\s*(?:;|$)/i.exec(
    content_type ?? "",
  );
  return found ? found[1] : null;
}

/** Where `what` begins in `bytes`, not before `from`; -1 if nowhere. */
function find(bytes, what, from) {
  const last = bytes.length - what.length;
  for (let at = bytes.indexOf(what[0], from); at >= 0 && at <= last; ) {
    let same = 1;
    while (same < what.length && bytes[at + same] === what[same]) ++same;
    if (same === what.length) return at;
    at = bytes.indexOf(what[0], at + 1);
  }
  return -1;
}

function parse_head(bytes) {
  const fields = new Map();
  for (const line of new TextDecoder().decode(bytes).split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0)
      fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return fields;
}

/** Bytes go in, parts come out: {fields: Map by lower case name, body}. */
export class MultipartReader {
  #bytes = new Uint8Array(0);
  #end;
  #searched = 0; // so much of #bytes holds no end
  #begun = false; // behind the first boundary
  #fields = null; // of the part whose body comes

  constructor(boundary) {
    this.#end = new TextEncoder().encode(`--${boundary}\n`);
  }

  /** The parts that are whole now. Throws if one is larger than allowed. */
  push(more) {
    const all = new Uint8Array(this.#bytes.length + more.length);
    all.set(this.#bytes);
    all.set(more, this.#bytes.length);
    this.#bytes = all;
    const parts = [];
    while (this.#step(parts));
    return parts;
  }

  #step(parts) {
    if (this.#begun && this.#fields === null) return this.#read_head();
    const length = Number(this.#fields?.get("content-length") ?? NaN);
    const from = Math.max(this.#searched, Number.isInteger(length) ? length : 0);
    const at = find(this.#bytes, this.#end, from);
    if (at < 0) {
      if (this.#bytes.length > body_bytes_max) throw new Error("too large");
      this.#searched = Math.max(0, this.#bytes.length - this.#end.length + 1);
      return false;
    }
    if (this.#begun)
      parts.push({ fields: this.#fields, body: this.#bytes.slice(0, at) });
    this.#begun = true;
    this.#fields = null;
    this.#drop(at + this.#end.length);
    return true;
  }

  #read_head() {
    // A head without any line is just its empty line.
    let at = this.#bytes[0] === line_feed ? 0 : -1;
    if (at < 0) at = find(this.#bytes, [line_feed, line_feed], 0) + 1;
    if (at === 0 && this.#bytes[0] !== line_feed) {
      if (this.#bytes.length > head_bytes_max) throw new Error("head too large");
      return false;
    }
    this.#fields = parse_head(this.#bytes.subarray(0, at));
    this.#drop(at + 1);
    return true;
  }

  #drop(count) {
    this.#bytes = this.#bytes.slice(count);
    this.#searched = 0;
  }
}
