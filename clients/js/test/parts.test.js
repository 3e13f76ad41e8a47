// SPDX-License-Identifier: Apache-2.0
// The pure parts: no sockets, no clocks.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Backoff } from '../src/backoff.js';
import { Deliveries } from '../src/deliveries.js';
import { EventReader } from '../src/events.js';
import { MultipartReader } from '../src/multipart.js';
import { decodePacket, encodePacket } from '../src/packets.js';
import { Servers } from '../src/servers.js';

const bytes = (text) => new TextEncoder().encode(text);
const text = (data) => new TextDecoder().decode(data);

test('a packet is laid out as the protocol says', () => {
  const header = { op: 'post', id: 'm1', to: { bob: 1 } };
  const etc = { subject: 'hi' };
  const packet = encodePacket(header, { etc, data: 'hello' });
  assert.equal(
    text(packet),
    '2f  {"op":"post","id":"m1","to":{"bob":1},"etc":16}' +
      '{"subject":"hi"}hello',
  );
});

test('a header is pure ASCII, etc and data are UTF-8', () => {
  const header = { op: 'x', id: 'é€😀' };
  const packet = encodePacket(header, { etc: 'é', data: 'ü' });
  const size = parseInt(text(packet.subarray(0, 4)), 16);
  const head = text(packet.subarray(4, 4 + size));
  assert.equal(head, '{"op":"x","id":"\\u00e9\\u20ac\\ud83d\\ude00","etc":4}');
  const back = decodePacket(packet);
  assert.equal(back.header.id, 'é€😀');
  assert.equal(back.etcText, '"é"');
  assert.equal(text(back.data), 'ü');
});

test('a broken packet is an error, never half a message', () => {
  const broken = [
    '', '1', 'zz  {}', '5   {}', '2   []', '2   {}', '10  {"op":"x","etc":',
    '14  {"op":"x","etc":9999}', '13  {"op":"x","etc":-1}}',
  ];
  for (const each of broken)
    assert.throws(
      () => decodePacket(bytes(each)),
      { name: 'TroupeError' },
      each,
    );
});

test('a header above its bound is refused before it is sent', () => {
  const header = { op: 'post', id: 'x'.repeat(70_000) };
  assert.throws(() => encodePacket(header), RangeError);
});

test('waits double and are spread over their upper half', () => {
  const low = new Backoff({ first: 100, most: 350, random: () => 0 });
  assert.deepEqual([1, 2, 3, 4].map(() => low.next()), [50, 100, 175, 175]);
  const high = new Backoff({ first: 100, most: 350, random: () => 1 });
  assert.deepEqual([1, 2, 3].map(() => high.next()), [100, 200, 350]);
  high.reset();
  assert.equal(high.next(), 100);
});

test('servers are taken in turn and said as asked', () => {
  const servers = new Servers(['http://a:1', 'wss://b/base/']);
  assert.equal(servers.websocket('/mq'), 'ws://a:1/mq');
  servers.moveOn();
  assert.equal(servers.http('/msgbus/x'), 'https://b/base/msgbus/x');
  servers.moveOn();
  assert.equal(servers.name, 'a:1');
  for (const wrong of [[], 'a:1', 'nonsense', 'http://a?x=1', undefined])
    assert.throws(() => new Servers(wrong), TypeError);
});

// --- deliveries --------------------------------------------------------------

const packet = (id, seq) => ({
  header: { op: 'deliver', id, from: 'bob', seq },
  data: new Uint8Array(0),
});

test('an ack goes out only when all before it are acknowledged', () => {
  const all = new Deliveries();
  const [a, b, c] = [1, 2, 3].map((n) => all.arrived(packet(`m${n}`, n * 10)));
  b.ack();
  assert.equal(all.takeAck(), undefined);
  a.ack();
  a.ack();
  assert.equal(all.takeAck(), 'm2');
  assert.equal(all.cursor, 20);
  assert.equal(all.takeAck(), undefined);
  c.ack();
  assert.equal(all.takeAck(), 'm3');
  assert.equal(all.held, 0);
});

test('what comes again is not shown again, and acknowledged if it was', () => {
  const all = new Deliveries();
  const a = all.arrived(packet('a', 1));
  const b = all.arrived(packet('b', 2));
  assert.equal(all.arrived(packet('a', 1)), undefined); // after 10 s
  b.ack();
  all.connected(); // b's ack was never sent
  assert.equal(all.arrived(packet('a', 1)), undefined);
  assert.equal(all.arrived(packet('b', 2)), undefined);
  assert.equal(all.takeAck(), undefined);
  a.ack();
  assert.equal(all.takeAck(), 'b');
  assert.equal(all.cursor, 2);
});

test('an ack between two connections is told on the next one', () => {
  let due = 0;
  const all = new Deliveries(() => ++due);
  const a = all.arrived(packet('a', 7));
  all.connected();
  a.ack();
  assert.equal(all.takeAck(), undefined);
  assert.equal(all.arrived(packet('a', 7)), undefined);
  assert.equal(due, 2);
  assert.equal(all.takeAck(), 'a');
});

// --- streams -----------------------------------------------------------------

function cutEverywhere(whole, make, check) {
  const data = bytes(whole);
  for (let at = 0; at <= data.length; ++at) {
    const reader = make();
    check([
      ...reader.feed(data.subarray(0, at)),
      ...reader.feed(data.subarray(at)),
    ]);
  }
}

test('multipart is read wherever it is cut', () => {
  const whole =
    '--00MsgBus00\nFrom: anna\nContent-Location: /msgbus/a/b\n' +
    'Content-Type: text/plain\n\nhe\n\nllo--00MsgBus00\n' +
    'Content-Type: x\n\n--00MsgBus00\n';
  cutEverywhere(whole, () => new MultipartReader(100), (messages) => {
    assert.equal(messages.length, 2);
    const [{ channel, sender, type, data }, empty] = messages;
    assert.deepEqual([channel, sender, type], ['a/b', 'anna', 'text/plain']);
    assert.equal(text(data), 'he\n\nllo');
    assert.deepEqual([empty.sender, empty.data.length], [undefined, 0]);
  });
});

test('multipart that is none, and a message without end, are errors', () => {
  assert.throws(
    () => new MultipartReader(10).feed(bytes('<h1>--00MsgBus00\n')),
    { name: 'TroupeError' },
  );
  const reader = new MultipartReader(10);
  reader.feed(bytes('--00MsgBus00\n'));
  assert.throws(
    () => reader.feed(new Uint8Array(20_000)),
    { name: 'Overflow' },
  );
});

test('events are read wherever they are cut', () => {
  const whole =
    ':\n\nid: 1-5\nevent: message\ndata: {"channel":"c","sender":"é",' +
    '"type":"t","id":"1-5","data":"a\\nb"}\n\n' +
    ':\n\ndata: {"id":"1-6","base64":"/wA="}\n\n';
  cutEverywhere(whole, () => new EventReader(100), (messages) => {
    assert.equal(messages.length, 2);
    const [{ channel, sender, type, id, data }, binary] = messages;
    assert.deepEqual([channel, sender, type, id], ['c', 'é', 't', '1-5']);
    assert.equal(text(data), 'a\nb');
    assert.deepEqual([...binary.data], [255, 0]);
  });
});

test('an event without end is an error', () => {
  const reader = new EventReader(10);
  assert.throws(
    () => reader.feed(bytes('data: ' + 'x'.repeat(17_000))),
    { name: 'Overflow' },
  );
});
