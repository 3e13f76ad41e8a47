// SPDX-License-Identifier: Apache-2.0

const decoder = new TextDecoder();

/** What deliveries and messages have in common: bytes, and how to read them. */
export class Body {
  constructor(data) {
    /** Uint8Array */
    this.data = data;
  }

  /** UTF-8; what is none becomes U+FFFD. */
  text() {
    return decoder.decode(this.data);
  }

  /** Throws SyntaxError if it is no JSON. */
  json() {
    return JSON.parse(this.text());
  }
}
