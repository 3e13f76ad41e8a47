// SPDX-License-Identifier: Apache-2.0

import { decodePacket } from './packets.js';

/**
 * One WebSocket connection to /mq. Calls `onOpen()`, `onPacket(packet)` and
 * at last, exactly once, `onEnd(reason, code, quit)`; nothing behind that.
 * `quit` is the server's own word for the reason, if it gave one.
 */
export class Link {
  #socket;
  #calls;
  #timer;
  #quit;

  constructor(WebSocket, url, { connectTimeout, ...calls }) {
    this.#calls = calls;
    this.received = 0; // messages
    this.#timer = setTimeout(
      () => this.end(`no connection in ${connectTimeout} ms`),
      connectTimeout,
    );
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      if (this.#calls)
        this.#calls.onOpen();
    };
    socket.onmessage = (event) => this.#message(event.data);
    // A browser says no more than that there was one.
    socket.onerror = (event) =>
      this.end(event?.message || 'the connection failed');
    socket.onclose = (event) =>
      this.end(
        this.#quit ?? `closed with code ${event.code}`,
        event.code,
        this.#quit,
      );
  }

  /** The login is through; from now on silence is the inbox's business. */
  settled() {
    clearTimeout(this.#timer);
  }

  send(bytes) {
    this.#socket.send(bytes);
  }

  /** Ends it from this side; harmless if it has ended. */
  end(reason, code, quit) {
    const calls = this.#calls;
    if (!calls)
      return;
    this.#calls = undefined;
    clearTimeout(this.#timer);
    try {
      this.#socket.close(1000);
    } catch {
      // Not even connected.
    }
    calls.onEnd(reason, code, quit);
  }

  #message(data) {
    if (!this.#calls)
      return;
    ++this.received;
    let packet;
    try {
      if (!(data instanceof ArrayBuffer))
        throw new Error('the server sent a text message');
      packet = decodePacket(new Uint8Array(data));
    } catch (e) {
      return this.end(e.message);
    }
    if (packet.header.op === 'quit')
      this.#quit = String(packet.header.info ?? 'quit'); // the close follows
    else
      this.#calls.onPacket(packet);
  }
}
