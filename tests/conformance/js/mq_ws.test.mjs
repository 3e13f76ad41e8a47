// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';

import { MqClient } from './mq_client.mjs';

const url = process.env.TROUPE_MQ_URL;
const open = [];
let users = 0;

after(() => Promise.all(open.map((client) => client.terminate())));

async function connect(options = { perMessageDeflate: false }) {
  const client = await MqClient.connect(url, options);
  open.push(client);
  return client;
}

async function user(stem, options) {
  const client = await connect(options);
  client.uid = `${stem}-js${++users}`;
  assert.deepEqual(
    { ...(await client.register(client.uid, 'n0')), data: undefined },
    { op: 'registered', etc: undefined, data: undefined });
  assert.equal((await client.login(client.uid, 'n0')).info, 'ok login');
  return client;
}

test('post reaches two devices and is acknowledged', async () => {
  const alice = await user('alice');
  const bob = await user('bob');
  const phone = await connect();
  assert.equal((await phone.addNode(bob.uid, 'phone', 'n0')).offset, 1);
  assert.equal((await phone.login(bob.uid, 'phone')).info, 'ok login');
  const data = Buffer.from(Uint8Array.from({ length: 256 }, (_, n) => n));
  const ack = await alice.post({ [bob.uid]: 1 }, { etc: { n: [1] }, data });
  assert.equal(ack.type, 'ok');
  const ids = new Set();
  for (const device of [bob, phone]) {
    const message = await device.take();
    assert.equal(message.from, alice.uid);
    assert.deepEqual(message.etc, { n: [1] });
    assert.deepEqual(Buffer.from(message.data), data);
    ids.add(message.id);
  }
  assert.equal(ids.size, 1);
});

test('an unacknowledged message comes again after a reconnect', async () => {
  const alice = await user('alice');
  assert.equal((await alice.post({ [alice.uid]: 1 })).type, 'ok');
  const first = await alice.expect('deliver');
  await alice.close(1000);
  const again = await connect();
  await again.login(alice.uid, 'n0');
  assert.equal((await again.take()).id, first.id);
});

test('permessage-deflate is agreed on and transparent', async () => {
  const alice = await user('alice', { perMessageDeflate: { threshold: 0 } });
  assert.match(alice.extensions, /permessage-deflate/);
  const plain = await user('plain');
  assert.equal(plain.extensions, '');
  const bodies = [
    Buffer.from('short'),
    Buffer.alloc(300_000, 'compressible '),
    randomBytes(300_000),
  ];
  for (const data of bodies) {
    const to = { [alice.uid]: 1, [plain.uid]: 1 };
    assert.equal((await alice.post(to, { data })).type, 'ok');
    for (const client of [alice, plain])
      assert.ok(data.equals(Buffer.from((await client.take()).data)));
  }
});

test('permessage-deflate without context takeover', async () => {
  const alice = await user('alice', {
    perMessageDeflate: {
      threshold: 0,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
    },
  });
  assert.match(alice.extensions, /permessage-deflate/);
  for (let n = 0; n < 3; ++n) {
    const data = Buffer.alloc(10_000, `round ${n} `);
    assert.equal((await alice.post({ [alice.uid]: 1 }, { data })).type, 'ok');
    assert.ok(data.equals(Buffer.from((await alice.take()).data)));
  }
});

test('large messages pass both ways', async () => {
  const alice = await user('alice');
  for (const size of [1 << 20, 16 << 20]) {
    const data = randomBytes(size);
    assert.equal((await alice.post({ [alice.uid]: 1 }, { data })).type, 'ok');
    assert.ok(data.equals(Buffer.from((await alice.take()).data)));
  }
});

test('close codes', async () => {
  const polite = await connect();
  assert.equal(await polite.close(1000), 1000);
  const application = await connect();
  assert.equal(await application.close(4001), 4001);
  const wrong = await connect();
  wrong.send({ op: 'nope' });
  assert.equal((await wrong.expect('quit')).info, 'invalid request op');
  const code = await wrong.closed;
  assert.ok([1000, 1002, 1003, 1008].includes(code), `code ${code}`);
});

test('a text message is a message', async () => {
  const alice = await user('alice');
  alice.sendText({ op: 'post', id: 't', to: { [alice.uid]: 1 } });
  assert.equal((await alice.expect('ack')).type, 'ok');
  await alice.take();
});

test('many clients at once', async () => {
  const clients = await Promise.all(
    Array.from({ length: 50 }, () => user('many')));
  const to = Object.fromEntries(clients.map(({ uid }) => [uid, 1]));
  const acks = await Promise.all(clients.map((c) => c.post(to)));
  assert.ok(acks.every(({ type }) => type === 'ok'));
  await Promise.all(clients.map(async (client) => {
    const ids = new Set();
    for (let n = 0; n < clients.length; ++n)
      ids.add((await client.take()).id);
    assert.equal(ids.size, clients.length);
  }));
});
