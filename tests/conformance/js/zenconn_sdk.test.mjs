// SPDX-License-Identifier: Apache-2.0
// The rows of ZenConn's acceptance table that are about its client library, and
// what its clients see of each other on different nodes.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Sdk } from './zenconn_sdk.mjs';

const {
  TROUPE_ZENCONN_PORTS: ports,
  TROUPE_ZENCONN_SECRET: secret,
  TROUPE_ZENCONN_ADMIN: admin,
  TROUPE_ZENCONN_CLIENT: client,
} = process.env;
const nodes = ports.split(',').map(Number);
const all = [];

function make(options = {}) {
  const made = new Sdk({
    authorization: client,
    address: '127.0.0.1',
    port: nodes[0],
    secure: true,
    debug: false,
    secret,
    ...options,
  });
  all.push(made);
  return made;
}

async function open(options) {
  const made = make(options);
  await made.connect();
  return made;
}

/** Events of a channel, and a way to wait for so many. */
function listener() {
  const seen = [];
  let wake = () => {};
  const hear = (event) => {
    seen.push(event);
    wake();
  };
  const until = async (done) => {
    while (!done(seen)) await new Promise((resolve) => (wake = resolve));
    return seen;
  };
  return { seen, hear, until };
}

/** Broadcasts until so many hear it: what joined at another node a moment ago is
 * known here a moment later. */
async function reached(who, channel, count) {
  for (;;) {
    if ((await who.broadcast(channel, { ready: true })) === count) return;
    await pause(50);
  }
}

const said = (events) => events.filter((e) => e.data?.ready === undefined);

/** Joins from each node; all know of all. */
async function meet(channel, bearer = client) {
  const members = [];
  for (const port of nodes) {
    const sdk = await open({ port, authorization: bearer });
    const heard = listener();
    await sdk.subscribe(channel, heard.hear);
    members.push({ sdk, heard });
  }
  for (const { sdk } of members) await reached(sdk, channel, nodes.length - 1);
  return members;
}

after(() => {
  for (const each of all) assert.equal(each.stumbled, null);
});

test('ZC-01 connect resolves with a session id', async () => {
  const sdk = make();
  const welcome = await sdk.connect();
  assert.equal(welcome.type, 'accepted');
  assert.match(welcome.data, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  const other = await open();
  assert.notEqual(other.id, sdk.id);
  await Promise.all([sdk.close(), other.close()]);
});

test('ZC-01 what is required is required', () => {
  for (const name of ['authorization', 'address', 'port', 'secure'])
    assert.throws(() => new Sdk({ address: 'a', [name]: undefined }), /required/);
});

test('ZC-01 public channels: subscribe, broadcast, hear', async () => {
  const [one, other] = [await open(), await open()];
  const heard = listener();
  await one.subscribe('news', () => assert.fail('its own'));
  await other.subscribe('news', heard.hear);
  const data = { data: 'HELLO', list: [1, null, 'ü'] };
  assert.equal(await one.broadcast('news', data), 1);
  const [event] = await heard.until((seen) => seen.length === 1);
  assert.deepEqual(event, { type: 'event', channel: 'news', data, from: one.id });
  await Promise.all([one.close(), other.close()]);
});

test('ZC-01 subscribing twice is subscribing', async () => {
  const one = await open();
  await one.subscribe('twice', () => {});
  await one.subscribe('twice', () => {});
  assert.equal(await one.broadcast('twice', {}), 0);
  await one.close();
});

test('ZC-01 replies of a channel keep their order', async () => {
  const one = await open();
  const names = ['a', 'b', 'c', 'private.d'];
  await Promise.all(names.map((name) => one.subscribe(name, () => {})));
  for (let i = 0; i < 50; ++i)
    assert.deepEqual(
      await Promise.all(names.map((name) => one.broadcast(name, { i }))),
      [0, 0, 0, 0],
    );
  await one.close();
});

test('ZC-01 nothing is said of channels it has not asked for', async () => {
  const [quiet, loud] = [await open(), await open()];
  await loud.subscribe('elsewhere', () => {});
  await loud.subscribe('private.elsewhere', () => {});
  await loud.broadcast('elsewhere', {});
  await loud.broadcast('private.elsewhere', {});
  await quiet.subscribe('private.mine', () => {});
  await quiet.broadcast('private.mine', {});
  assert.equal(quiet.stumbled, null);
  await Promise.all([quiet.close(), loud.close()]);
});

test('ZC-04 a wrong bearer gets no upgrade', async () => {
  await assert.rejects(make({ authorization: 'a guess' }).connect(), /401/);
});

test('ZC-05 private channels want the token of this session', async () => {
  const [one, other] = [await open(), await open()];
  const channel = 'private.notifications';
  await assert.rejects(one.subscribe(channel, () => {}, 'wrong'), /unauth/);
  await assert.rejects(one.subscribe(channel, () => {}, null), /unauth/);
  await one.subscribe(channel, () => {});
  const heard = listener();
  await other.subscribe(channel, heard.hear);
  assert.equal(await one.broadcast(channel, { data: 'HELLO' }), 1);
  const events = await heard.until((seen) => seen.length === 1);
  assert.deepEqual(events[0].data, { data: 'HELLO' });
  await Promise.all([one.close(), other.close()]);
});

test('ZC-05 who is not in a channel does not speak there', async () => {
  const one = await open();
  await assert.rejects(one.subscribe('private.shut', () => {}, 'wrong'));
  await assert.rejects(one.broadcast('private.shut', {}), (errors) => {
    assert.deepEqual(errors, ['not subscribed']);
    return true;
  });
  await one.close();
});

test('ZC-06 an admin speaks to everybody, a client does not', async () => {
  const [boss, one] = [await open({ authorization: admin }), await open()];
  const heard = listener();
  one.onEverybody(heard.hear);
  assert.equal(await boss.broadcast('*', { data: 'HI' }), 1);
  const events = await heard.until((seen) => seen.length === 1);
  assert.deepEqual(events[0], {
    type: 'event',
    channel: '*',
    data: { data: 'HI' },
    from: boss.id,
  });
  await assert.rejects(one.broadcast('*', { data: 'HI' }), (errors) => {
    assert.deepEqual(errors, ['not granted']);
    return true;
  });
  await Promise.all([boss.close(), one.close()]);
});

test('ZC-03 what is no request comes back, and harms nobody', async () => {
  const one = await open();
  one.send(JSON.stringify({ type: 'of tomorrow', channel: 'x' }));
  await one.subscribe('after', () => {});
  await one.close();
});

test('ZC-10 (Z4) one broadcast reaches every other session once', async () => {
  const others = [];
  for (const port of [...nodes, ...nodes]) {
    const sdk = await open({ port });
    const heard = listener();
    sdk.onEverybody(heard.hear);
    others.push({ sdk, heard });
  }
  const boss = await open({ port: nodes.at(-1), authorization: admin });
  boss.onEverybody(() => assert.fail('its own'));
  await reached(boss, '*', others.length);
  assert.equal(await boss.broadcast('*', { n: 1 }), others.length);
  for (const { heard } of others) {
    const events = await heard.until((seen) => said(seen).length > 0);
    assert.deepEqual(said(events).map((e) => e.data), [{ n: 1 }]);
  }
  await Promise.all([boss, ...others.map((o) => o.sdk)].map((s) => s.close()));
});

test('ZC-12, ZC-15 (Z6, Z9) every pair of nodes, once and in order', async () => {
  for (const channel of ['z9', 'private.z9']) {
    const members = await meet(channel);
    for (const { sdk } of members)
      for (let i = 0; i < 20; ++i)
        assert.equal(await sdk.broadcast(channel, { i }), members.length - 1);
    for (const { sdk, heard } of members)
      for (const from of members) {
        if (from.sdk === sdk) continue;
        const of = (seen) => said(seen).filter((e) => e.from === from.sdk.id);
        const seen = of(await heard.until((all) => of(all).length >= 20));
        assert.deepEqual(
          seen.map((e) => e.data.i),
          [...Array(20).keys()],
        );
      }
    await Promise.all(members.map(({ sdk }) => sdk.close()));
  }
});

test('ZC-11, ZC-16 (Z5, Z10) who joins is announced first, who fails is not', async () => {
  const channel = 'private.z10';
  const members = await meet(channel);
  const fresh = await open({ port: nodes.at(-1) });
  const stranger = await open({ port: nodes[0] });
  await assert.rejects(stranger.subscribe(channel, () => {}, 'wrong'));
  const heard = listener();
  await fresh.subscribe(channel, heard.hear);
  await fresh.broadcast(channel, { first: true });
  for (const member of members) {
    const about = (seen) =>
      said(seen).filter(
        (e) => e.from === fresh.id || e.data.session === fresh.id,
      );
    const events = about(await member.heard.until((s) => about(s).length >= 2));
    assert.deepEqual(
      events.map((e) => e.data),
      [{ event: 'joined', session: fresh.id }, { first: true }],
    );
    assert.equal(
      member.heard.seen.some((e) => e.data?.session === stranger.id),
      false,
    );
  }
  assert.deepEqual(said(heard.seen), []);
  await Promise.all(
    [fresh, stranger, ...members.map(({ sdk }) => sdk)].map((s) => s.close()),
  );
});
