// SPDX-License-Identifier: Apache-2.0
// websocket.MQ messages over the npm client "ws", for tests.

import WebSocket from 'ws';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encode(header, { etc, data } = {}) {
  const tail = etc === undefined ? '' : JSON.stringify(etc);
  const body = data === undefined ? Buffer.alloc(0) : Buffer.from(data);
  const etcBytes = encoder.encode(tail);
  const full = etc === undefined ? header : { ...header, etc: etcBytes.length };
  const text = encoder.encode(JSON.stringify(full));
  const length = encoder.encode(text.length.toString(16).padEnd(4, ' '));
  return Buffer.concat([length, text, etcBytes, body]);
}

export function decode(payload) {
  const end = 4 + parseInt(decoder.decode(payload.subarray(0, 4)), 16);
  const header = JSON.parse(decoder.decode(payload.subarray(4, end)));
  const etcEnd = end + (header.etc ?? 0);
  return {
    ...header,
    etc: 'etc' in header
      ? JSON.parse(decoder.decode(payload.subarray(end, etcEnd)))
      : undefined,
    data: payload.subarray(etcEnd),
  };
}

/// One connection; `expect` takes the first message of an op and leaves the
/// others in their order.
export class MqClient {
  #socket;
  #messages = [];
  #waiting = [];
  #nextId = 1;

  constructor(url, options) {
    this.#socket = new WebSocket(url, options);
    this.#socket.on('message', (payload, isBinary) => {
      if (!isBinary)
        throw new Error('a text message from the server');
      this.#messages.push(decode(payload));
      this.#settle();
    });
    this.opened = new Promise((resolve, reject) => {
      this.#socket.once('open', resolve);
      this.#socket.once('error', reject);
    });
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', (code) => {
        resolve(code);
        for (const { op, reject } of this.#waiting.splice(0))
          reject(new Error(`closed with ${code} while waiting for ${op}`));
      });
    });
  }

  static async connect(url, options) {
    const client = new MqClient(url, options);
    await client.opened;
    return client;
  }

  get extensions() {
    return this.#socket.extensions;
  }

  send(header, body) {
    this.#socket.send(encode(header, body));
  }

  sendText(header) {
    this.#socket.send(encode(header).toString('latin1'));
  }

  expect(op) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ op, resolve, reject });
      this.#settle();
    });
  }

  #settle() {
    for (const waiter of [...this.#waiting]) {
      const at = this.#messages.findIndex((m) => m.op === waiter.op);
      if (at < 0)
        continue;
      const [message] = this.#messages.splice(at, 1);
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      waiter.resolve(message);
    }
  }

  async register(userId, newNode, aliases = '') {
    this.send({ op: 'register', userId, newNode, aliases });
    return this.expect('registered');
  }

  async addNode(userId, newNode, prevNode) {
    this.send({ op: 'addNode', userId, newNode, prevNode });
    return this.expect('added');
  }

  async login(userId, nodeId) {
    this.send({ op: 'login', userId, nodeId });
    return this.expect('info');
  }

  async post(to, body) {
    this.send({ op: 'post', id: `js${this.#nextId++}`, to }, body);
    return this.expect('ack');
  }

  /// The next delivery, acknowledged.
  async take() {
    const message = await this.expect('deliver');
    this.send({ op: 'ack', id: message.id, type: 'ok' });
    return message;
  }

  close(code) {
    this.#socket.close(code);
    return this.closed;
  }

  terminate() {
    this.#socket.terminate();
    return this.closed;
  }
}
