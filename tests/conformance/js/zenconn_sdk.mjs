// SPDX-License-Identifier: Apache-2.0
// A client that takes from the wire what the first client library of ZenConn
// takes, and stumbles where that one does: TLS alone, one promise at a time for
// a channel, no word about a channel it has not asked for.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { WebSocket } from 'ws';

const everybody = '*';

export class Sdk {
  #options;
  #socket;
  #channels = new Map([[everybody, { handler: () => {}, pending: null }]]);
  /** Set where that library would have died. */
  stumbled = null;

  /** { authorization, address, port, secure, debug, secret } */
  constructor(options) {
    for (const name of ['authorization', 'address', 'port', 'secure'])
      assert.ok(options[name], `${name} is required`);
    this.#options = options;
  }

  /** Resolves with the first message; rejects if there is no upgrade. */
  connect() {
    const { authorization, address, port } = this.#options;
    this.#socket = new WebSocket(`wss://${address}:${port}`, {
      headers: { Authorization: `Bearer ${authorization}` },
    });
    this.closed = new Promise((done) => this.#socket.once('close', done));
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.on('message', (bytes, binary) => {
        try {
          assert.equal(binary, false);
          const message = JSON.parse(bytes.toString());
          if (message.type === 'accepted') {
            this.id = message.data;
            resolve(message);
          } else {
            this.#take(message);
          }
        } catch (error) {
          this.stumbled ??= error;
        }
      });
    });
  }

  #take(message) {
    const known = ['subscribed', 'unauthorized', 'received', 'event', 'error'];
    if (!known.includes(message.type)) return;
    const channel = this.#channels.get(message.channel);
    assert.ok(channel, `unasked for: ${JSON.stringify(message)}`);
    if (message.type === 'event') return channel.handler(message);
    assert.ok(channel.pending, `nobody waits: ${JSON.stringify(message)}`);
    const { resolve, reject } = channel.pending;
    channel.pending = null;
    if (message.type === 'subscribed') resolve();
    else if (message.type === 'received') resolve(message.count);
    else if (message.type === 'unauthorized') reject(new Error('unauthorized'));
    else reject(message.errors);
  }

  #ask(channel, message) {
    assert.equal(channel.pending, null, 'one request a channel at a time');
    return new Promise((resolve, reject) => {
      channel.pending = { resolve, reject };
      this.#socket.send(JSON.stringify(message));
    });
  }

  /** With the token of this session, if the channel is private. */
  subscribe(name, handler, secret = this.#options.secret) {
    if (!this.#channels.has(name))
      this.#channels.set(name, { handler, pending: null });
    const channel = this.#channels.get(name);
    channel.handler = handler;
    const message = { type: 'subscribe', channel: name };
    if (name.startsWith('private.') && secret)
      message.token = createHmac('sha256', secret)
        .update(`${this.id}@${name}`)
        .digest('hex');
    return this.#ask(channel, message);
  }

  /** What is said to everybody. */
  onEverybody(handler) {
    this.#channels.get(everybody).handler = handler;
  }

  /** Resolves with the count of others. */
  broadcast(name, data) {
    return this.#ask(this.#channels.get(name), {
      type: 'broadcast',
      channel: name,
      data,
    });
  }

  send(text) {
    this.#socket.send(text);
  }

  async close() {
    this.#socket.close(1000);
    assert.equal(await this.closed, 1000);
  }
}
