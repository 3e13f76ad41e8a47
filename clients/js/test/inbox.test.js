// SPDX-License-Identifier: Apache-2.0
// The inbox against servers that are written down: what it says on the wire,
// and what it makes of what it hears.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { Inbox } from '../src/index.js';
import { decodePacket, encodePacket } from '../src/packets.js';

const SERVERS = ['http://one', 'http://two', 'http://three'];
const turn = () => new Promise((resolve) => setImmediate(resolve));

let sockets = []; // every connection that was made, oldest first
let waiting = [];
let open = [];

class FakeSocket {
  constructor(url) {
    this.url = url;
    this.got = []; // headers the client sent
    this.unread = 0;
    sockets.push(this);
    for (const wake of waiting.splice(0))
      wake();
  }

  send(bytes) {
    const { header, data } = decodePacket(new Uint8Array(bytes));
    this.got.push({ ...header, text: new TextDecoder().decode(data) });
    for (const wake of waiting.splice(0))
      wake();
  }

  close() {
    this.closed = true;
  }

  // --- what the test has the server do
  say(header, body) {
    this.onmessage({ data: encodePacket(header, body).buffer });
  }

  drop(code = 1006) {
    this.onclose({ code });
  }

  /** The next thing the client says. */
  async heard(op) {
    while (this.got.length === this.unread)
      await new Promise((wake) => waiting.push(wake));
    const packet = this.got[this.unread++];
    assert.equal(packet.op, op);
    return packet;
  }

  deliver(id, seq) {
    this.say({ op: 'deliver', id, from: 'bob', seq }, { data: id });
  }

  async login(more = {}) {
    this.onopen();
    const packet = await this.heard('login');
    this.say({ op: 'info', info: 'ok login', window: 4, position: 0, ...more });
    return packet;
  }
}

async function socket(index) {
  while (sockets.length <= index)
    await new Promise((wake) => waiting.push(wake));
  return sockets[index];
}

function inboxOf(options = {}) {
  const inbox = new Inbox({
    servers: SERVERS,
    user: 'alice',
    device: 'phone',
    window: 4,
    backoff: { first: 1, most: 2 },
    WebSocket: FakeSocket,
    ...options,
  });
  open.push(inbox);
  return inbox;
}

async function opened(options) {
  const inbox = inboxOf(options);
  const ready = inbox.open();
  const first = await socket(0);
  await first.login();
  await ready;
  return [inbox, first];
}

afterEach(async () => {
  for (const inbox of open)
    await inbox.close();
  sockets = [];
  open = [];
});

test('it logs in, and registers first if asked to', async () => {
  const inbox = inboxOf({ create: true, aliases: ['al', 'ice'], cursor: 12 });
  const ready = inbox.open();
  const first = await socket(0);
  assert.equal(first.url, 'ws://one/mq');
  first.onopen();
  const register = await first.heard('register');
  assert.equal(register.aliases, 'al ice');
  first.say({ op: 'registered', error: 'user exists' });
  const login = await first.heard('login');
  assert.deepEqual([login.window, login.resume], [4, 12]);
  first.say({ op: 'info', info: 'ok login', window: 4, position: 12 });
  await ready;
  assert.equal(inbox.state, 'open');
});

test('a login that is refused for good ends it with the reason', async () => {
  const inbox = inboxOf();
  const ready = inbox.open();
  const first = await socket(0);
  first.onopen();
  await first.heard('login');
  first.say({ op: 'quit', info: 'nodeId unknown' });
  first.drop(1008);
  await assert.rejects(ready, { name: 'Refused', reason: 'nodeId unknown' });
  await assert.rejects(inbox.receive(), { name: 'Refused' });
  assert.equal(inbox.state, 'closed');
});

test('a device that is still active elsewhere is tried again', async () => {
  const inbox = inboxOf();
  const ready = inbox.open();
  const first = await socket(0);
  first.onopen();
  await first.heard('login');
  first.say({ op: 'quit', info: 'node already active' });
  first.drop(1008);
  const second = await socket(1);
  assert.equal(second.url, 'ws://two/mq');
  await second.login();
  await ready;
});

test('a post goes on at the next server, recognisable, and once', async () => {
  const [inbox, first] = await opened();
  const post = inbox.post(['bob', 'carol'], 'hello', { ttl: 5 });
  const sent = await first.heard('post');
  assert.deepEqual(sent.to, { bob: 1, carol: 1 });
  assert.deepEqual([sent.dedup, sent.ttl], [true, 5]);
  first.drop();
  const second = await socket(1);
  await second.login();
  const again = await second.heard('post');
  assert.equal(again.id, sent.id);
  second.say({ op: 'ack', id: sent.id, type: 'ok', error: 'userId unknown' });
  assert.deepEqual(await post, { id: sent.id, unreached: ['userId unknown'] });
});

test('an edit of a list is not repeated: its outcome is unknown', async () => {
  const [inbox, first] = await opened();
  const edit = inbox.inviteToList('friends', 'bobby');
  await first.heard('listEdit');
  const failed = assert.rejects(edit, { name: 'OutcomeUnknown' });
  first.drop();
  await failed;
});

test('what no leader answers is asked again, the rest is told', async () => {
  const [inbox, first] = await opened();
  const post = inbox.post('bob', 'x');
  const { id } = await first.heard('post');
  first.say({ op: 'ack', id, type: 'error', error: 'service unavailable' });
  const again = await first.heard('post');
  assert.equal(again.id, id);
  first.say({ op: 'ack', id, type: 'error', error: 'inbox full' });
  await assert.rejects(post, {
    name: 'Refused',
    reason: 'inbox full',
    temporary: true,
  });
});

test('a post that made the server hang up is not sent again', async () => {
  const [inbox, first] = await opened();
  const post = inbox.post('bob', 'x');
  await first.heard('post');
  const refused = assert.rejects(post, { name: 'Refused' });
  first.say({ op: 'quit', info: 'message too large' });
  first.drop(1009);
  await refused;
  const second = await socket(1);
  await second.login();
  await turn();
  assert.equal(second.got.length, 1); // the login
});

test('it resumes from the cursor and shows nothing twice', async () => {
  const [inbox, first] = await opened();
  first.deliver('a', 5);
  first.deliver('b', 6);
  const a = await inbox.receive();
  a.ack();
  assert.equal((await first.heard('ack')).id, 'a');
  const b = await inbox.receive();
  first.drop();
  b.ack(); // nobody hears it; the position at the next login says it
  const second = await socket(1);
  assert.equal((await second.login()).resume, 6);
  second.deliver('b', 6);
  second.deliver('c', 7);
  assert.equal((await second.heard('ack')).id, 'b');
  const c = await inbox.receive();
  assert.equal(c.text(), 'c');
  assert.equal(inbox.cursor, 6);
});

test('a gap is told', async () => {
  const changes = [];
  const inbox = inboxOf({ cursor: 3, onChange: (c) => changes.push(c) });
  const ready = inbox.open();
  await (await socket(0)).login({ resume: 'gap', position: 9 });
  await ready;
  assert.equal(inbox.cursor, 9);
  assert.deepEqual(
    changes.map(({ state, gap }) => [state, gap]),
    [['connecting', undefined], ['open', true]],
  );
});

test('a receiver that leaves takes nothing with it', async () => {
  const [inbox, first] = await opened();
  const leaving = new AbortController();
  const left = inbox.receive({ signal: leaving.signal });
  leaving.abort(new Error('enough'));
  await assert.rejects(left, { message: 'enough' });
  await assert.rejects(inbox.receive({ timeout: 1 }), { name: 'TimedOut' });
  first.deliver('a', 1);
  assert.equal((await inbox.receive()).id, 'a');
});

test('requests are bounded, and have a deadline', async () => {
  const [inbox, first] = await opened({ requestsMax: 1 });
  const late = assert.rejects(inbox.post('bob', 'x', { timeout: 5 }), {
    name: 'TimedOut',
    sent: true,
  });
  await assert.rejects(inbox.post('bob', 'y'), { name: 'Overflow' });
  await late;
  first.drop();
  await assert.rejects(inbox.post('bob', 'x', { timeout: 1 }), {
    name: 'TimedOut',
    sent: false,
  });
});

test('a silent server is asked, then left', async () => {
  const [, first] = await opened({ keepAlive: 4 });
  const probe = await first.heard('post');
  assert.deepEqual([probe.to, probe.noNodes], [{}, 1]);
  first.say({ op: 'ack', id: probe.id, type: 'error', error: 'x' });
  await first.heard('post');
  await (await socket(1)).login();
});

test('closing ends the loop and fails what waits', async () => {
  const [inbox, first] = await opened();
  const seen = [];
  const loop = (async () => {
    for await (const delivery of inbox) {
      seen.push(delivery.id);
      delivery.ack();
    }
  })();
  first.deliver('a', 1);
  await first.heard('ack');
  const post = assert.rejects(inbox.post('bob', 'x'), { name: 'Closed' });
  await inbox.close();
  await loop;
  await post;
  assert.deepEqual(seen, ['a']);
  assert.ok(first.closed);
});

test('recipients are named in every way there is', async () => {
  const [inbox, first] = await opened();
  inbox
    .post({ to: 'a', one: ['b'], list: 'c', listWithMe: ['d'] }, 'x',
      { copyToOwnDevices: false })
    .catch(() => {});
  const { to, noNodes } = await first.heard('post');
  assert.deepEqual(to, { a: 1, b: 0, c: 2, d: 3 });
  assert.equal(noNodes, 1);
  await assert.rejects(inbox.post({ two: 'a' }, 'x'), TypeError);
  await assert.rejects(inbox.post({ to: 'a', one: 'a' }, 'x'), TypeError);
});
