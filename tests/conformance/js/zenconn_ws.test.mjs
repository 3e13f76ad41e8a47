// SPDX-License-Identifier: Apache-2.0
// What a client of channels does, with the npm client 'ws': bearer tokens,
// private channels, broadcasts, compact messages.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { WebSocket } from 'ws';

const {
  TROUPE_ZENCONN_URL: url,
  TROUPE_ZENCONN_SECRET: secret,
  TROUPE_ZENCONN_BOSS: boss,
  TROUPE_ZENCONN_CLIENT: client,
} = process.env;

/** Messages come out of next(), one by one. */
class Session {
  #arrived = [];
  #waiting = [];

  constructor(bearer, headers = {}) {
    this.socket = new WebSocket(url, {
      headers: { Authorization: `Bearer ${bearer}`, ...headers },
    });
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('unexpected-response', (_, answer) => {
        answer.resume();
        reject(new Error(`status ${answer.statusCode}`));
      });
      this.socket.once('error', reject);
    });
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
    this.socket.on('message', (data) => {
      const take = this.#waiting.shift();
      if (take) take(data.toString());
      else this.#arrived.push(data.toString());
    });
  }

  static async open(bearer = client, headers = {}) {
    const self = new Session(bearer, headers);
    await self.opened;
    const welcome = await self.next();
    self.id = welcome.data ?? welcome.d;
    return self;
  }

  async text() {
    if (this.#arrived.length > 0) return this.#arrived.shift();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async next() {
    return JSON.parse(await this.text());
  }

  async ask(message) {
    this.socket.send(JSON.stringify(message));
    return this.next();
  }

  join(channel, by = secret) {
    const token = createHmac('sha256', by)
      .update(`${this.id}@${channel}`)
      .digest('hex');
    return this.ask({ type: 'subscribe', channel, token });
  }

  async close() {
    this.socket.close(1000);
    assert.equal(await this.closed, 1000);
  }
}

test('a wrong bearer token gets no upgrade', async () => {
  await assert.rejects(new Session('a guess').opened, /status 401/);
});

test('the first message names the session', async () => {
  const session = new Session(client);
  const welcome = await session.next();
  assert.equal(welcome.type, 'accepted');
  assert.equal(welcome.status, 202);
  assert.equal(welcome.uuid, welcome.data);
  assert.match(welcome.uuid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  await session.close();
});

test('what is no request comes back', async () => {
  const session = await Session.open();
  session.socket.send('ping');
  assert.equal(await session.text(), 'ping');
  await session.close();
});

test('members of a private channel hear who comes and what is said', async () => {
  const [one, other] = [await Session.open(), await Session.open()];
  const channel = 'private.notifications';
  const refused = await one.join(channel, 'another secret');
  assert.equal(refused.type, 'unauthorized');
  for (const each of [one, other])
    assert.deepEqual(await each.join(channel), {
      type: 'subscribed',
      channel,
    });
  assert.deepEqual(await one.next(), {
    type: 'event',
    channel,
    data: { event: 'joined', session: other.id },
  });
  const data = { text: 'Grüße \u{1F600}', list: [1, null, true] };
  assert.deepEqual(await other.ask({ type: 'broadcast', channel, data }), {
    type: 'received',
    channel,
    count: 1,
  });
  assert.deepEqual(await one.next(), {
    type: 'event',
    channel,
    data,
    from: other.id,
  });
  await other.close();
  assert.equal((await one.next()).data.event, 'left');
  await one.close();
});

test('only who is granted it speaks to everybody', async () => {
  const [speaker, listener] = [await Session.open(boss), await Session.open()];
  const message = { type: 'broadcast', channel: '*', data: 'all' };
  assert.equal((await listener.ask(message)).type, 'error');
  assert.deepEqual(await speaker.ask(message), {
    type: 'received',
    channel: '*',
    count: 1,
  });
  assert.deepEqual(await listener.next(), {
    type: 'event',
    channel: '*',
    data: 'all',
    from: speaker.id,
  });
  await Promise.all([speaker.close(), listener.close()]);
});

test('compact messages carry the same', async () => {
  const long = await Session.open();
  const brief = await Session.open(client, { 'X-JSON-Protocol': '1' });
  assert.equal((await long.ask({ type: 'subscribe', channel: 'a' })).type, 'subscribed');
  assert.deepEqual(await brief.ask({ t: 's', c: 'a' }), { t: 's', c: 'a' });
  assert.equal((await brief.ask({ t: 'b', c: 'a', d: [1] })).n, 1);
  assert.deepEqual((await long.next()).data, [1]);
  await long.ask({ type: 'broadcast', channel: 'a', data: 'x' });
  assert.deepEqual(await brief.next(), { t: 'e', c: 'a', d: 'x', f: long.id });
  await Promise.all([long.close(), brief.close()]);
});
