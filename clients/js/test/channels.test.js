// SPDX-License-Identifier: Apache-2.0
// Channels against HTTP servers of this process, which do what a test wants.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { afterEach, test } from 'node:test';

import { Channels } from '../src/index.js';

const BOUNDARY = '--00MsgBus00\n';
const backoff = { first: 1, most: 2 };
let cleaning = [];

afterEach(async () => {
  for (const clean of cleaning.reverse())
    await clean();
  cleaning = [];
});

/** `answer(request, response, body)`; its URL. */
async function serve(answer) {
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request)
      parts.push(part);
    answer(request, response, Buffer.concat(parts).toString());
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  cleaning.push(() => {
    server.closeAllConnections();
    return new Promise((ended) => server.close(ended));
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** The URL of a server that is gone. */
async function gone() {
  const server = createServer();
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address();
  await new Promise((ended) => server.close(ended));
  return `http://127.0.0.1:${port}`;
}

function channels(options) {
  const made = new Channels({ backoff, ...options });
  cleaning.push(() => made.close());
  return made;
}

function event(fields) {
  const data = JSON.stringify(fields);
  return `id: ${fields.id}\nevent: message\ndata: ${data}\n\n`;
}

test('a publication says what it is, past a dead server', async () => {
  const seen = [];
  const url = await serve((request, response, body) => {
    const { 'content-type': type, authorization } = request.headers;
    seen.push([request.method, request.url, type, authorization, body]);
    response.writeHead(204).end();
  });
  const bus = channels({ servers: [await gone(), url], user: 'ännä' });
  await bus.publish('a/b', 'hello');
  await bus.publish('a', new Uint8Array([120]), { type: 'x/y' });
  await bus.publish('a', new Uint8Array([120]));
  const basic = 'Basic ' + Buffer.from('ännä:').toString('base64');
  assert.deepEqual(seen, [
    ['POST', '/msgbus/a/b', 'text/plain; charset=utf-8', basic, 'hello'],
    ['POST', '/msgbus/a', 'x/y', basic, 'x'],
    ['POST', '/msgbus/a', 'application/octet-stream', basic, 'x'],
  ]);
});

test('a token stands for who shows it, wherever it does', async () => {
  const seen = [];
  const url = await serve((request, response) => {
    seen.push([request.method, request.headers.authorization]);
    if (request.method === 'POST')
      response.writeHead(204).end();
    else
      response.writeHead(200).flushHeaders();
  });
  const bus = channels({ servers: url, token: 'trp_x' });
  await bus.subscribe('a');
  await bus.publish('a', 'x');
  assert.deepEqual(seen, [['GET', 'Bearer trp_x'], ['POST', 'Bearer trp_x']]);
  assert.throws(() => channels({ servers: url, token: 'x', user: 'anna' }), {
    name: 'TypeError',
    message: /^token: /,
  });
});

test('publications go out one after the other, in bounds', async () => {
  const bodies = [];
  let under = 0;
  const url = await serve((request, response, body) => {
    assert.equal(++under, 1);
    setImmediate(() => {
      --under;
      bodies.push(body);
      response.writeHead(204).end();
    });
  });
  const bus = channels({ servers: url, publishesMax: 3 });
  const all = ['1', '2', '3'].map((text) => bus.publish('a', text));
  await assert.rejects(bus.publish('a', '4'), { name: 'Overflow' });
  await Promise.all(all);
  assert.deepEqual(bodies, ['1', '2', '3']);
});

test('what became of a publication is said as far as it is known', async () => {
  const url = await serve((request, response) => {
    if (request.url.endsWith('large'))
      response.writeHead(413, 'Too Large').end();
    else if (request.url.endsWith('lost'))
      request.socket.destroy();
  });
  const bus = channels({ servers: url });
  await assert.rejects(bus.publish('large', 'x'), {
    name: 'Refused',
    reason: '413 Too Large',
    temporary: false,
  });
  await assert.rejects(bus.publish('lost', 'x'), { name: 'OutcomeUnknown' });
  await assert.rejects(bus.publish('never', 'x', { timeout: 30 }), {
    name: 'TimedOut',
    sent: true,
  });
  const leaving = new AbortController();
  const left = bus.publish('never', 'x', { signal: leaving.signal });
  setImmediate(() => leaving.abort(new Error('enough')));
  await assert.rejects(left, { message: 'enough' });
  const nowhere = channels({ servers: [await gone(), await gone()] });
  await assert.rejects(nowhere.publish('a', 'x'), { name: 'Unreachable' });
});

test('channels that would arrive under another name are refused', async () => {
  const bus = channels({ servers: 'http://127.0.0.1:1' });
  for (const name of ['a b', 'é', 'a?b', 'a#b', '..', 'a/%2e/b', 'a\\b', 7])
    await assert.rejects(bus.publish(name, 'x'), TypeError, String(name));
});

test('events go on behind the last one, and nothing comes twice', async () => {
  const asked = [];
  const bodies = [
    ':\n\n' + event({ id: '1-1', data: 'a', sender: 'anna', type: 't' }),
    event({ id: '1-1', data: 'a' }) + event({ id: '2-2', data: 'b' }),
  ];
  const url = await serve((request, response) => {
    asked.push(new URL(request.url, 'http://x').searchParams);
    assert.equal(request.headers.accept, 'text/event-stream');
    response.writeHead(200).flushHeaders();
    const body = bodies.shift();
    if (bodies.length > 0)
      response.end(body);
    else
      response.write(body ?? '');
  });
  const states = [];
  const bus = channels({ servers: url });
  const subscription = await bus.subscribe('news', {
    types: ['text/*', '!x'],
    senders: 'anna',
    onChange: ({ state }) => states.push(state),
  });
  const [a, b] = [await subscription.receive(), await subscription.receive()];
  assert.deepEqual(
    [a.channel, a.sender, a.type, a.id, a.text()],
    ['news', 'anna', 't', '1-1', 'a'],
  );
  assert.equal(b.text(), 'b');
  assert.equal(subscription.cursor, '2-2');
  assert.deepEqual(Object.fromEntries(asked[0]),
    { format: 'json', type: 'text/*,!x', sender: 'anna' });
  assert.equal(asked[1].get('since'), '1-1');
  assert.equal(states.join(' '), 'connecting open waiting connecting open');
});

test('multipart is listened to at the root, which names channels', async () => {
  const url = await serve((request, response) => {
    assert.equal(request.url, '/msgbus/');
    response.write(BOUNDARY);
    response.write(
      `Content-Location: /msgbus/a\nContent-Type: t\n\nhello${BOUNDARY}`,
    );
  });
  const bus = channels({ servers: url, via: 'msgbus' });
  const subscription = await bus.subscribe('');
  const message = await subscription.receive();
  assert.deepEqual([message.channel, message.text()], ['a', 'hello']);
});

test('a server that refuses for good ends it, another not', async () => {
  const statuses = [503, 200, 401];
  const url = await serve((request, response) => {
    response.writeHead(statuses.shift()).end();
  });
  const bus = channels({ servers: url });
  const subscription = await bus.subscribe('a');
  await assert.rejects(subscription.receive(), {
    name: 'Refused',
    reason: '401 Unauthorized',
  });
  assert.equal(subscription.state, 'closed');
});

test('waiting can be given up, before it listens and after', async () => {
  let response;
  const url = await serve((request, answer) => {
    response = answer;
    if (request.url.includes('/quiet'))
      answer.writeHead(200).flushHeaders();
  });
  const bus = channels({ servers: url });
  await assert.rejects(bus.subscribe('stuck', { timeout: 20 }),
    { name: 'TimedOut' });
  await assert.rejects(
    bus.subscribe('stuck', { signal: AbortSignal.abort(new Error('no')) }),
    { message: 'no' },
  );
  const subscription = await bus.subscribe('quiet');
  await assert.rejects(subscription.receive({ timeout: 10 }),
    { name: 'TimedOut' });
  const leaving = new AbortController();
  const left = subscription.receive({ signal: leaving.signal });
  leaving.abort(new Error('enough'));
  await assert.rejects(left, { message: 'enough' });
  response.write(event({ id: '1-1', data: 'still here' }));
  assert.equal((await subscription.receive()).text(), 'still here');
});

test('a silent stream is left for another one', async () => {
  let streams = 0;
  const url = await serve((request, response) => {
    response.writeHead(200).flushHeaders();
    if (++streams > 1)
      response.write(event({ id: '1-1', data: 'x' }));
  });
  const bus = channels({ servers: url, idleTimeout: 20 });
  const subscription = await bus.subscribe('a');
  assert.equal((await subscription.receive()).text(), 'x');
});

test('closing ends the loop', async () => {
  const url = await serve((request, response) => {
    response.writeHead(200).flushHeaders();
    response.write(event({ id: '1-1', data: 'x' }));
  });
  const bus = channels({ servers: url });
  const seen = [];
  for await (const message of await bus.subscribe('a')) {
    seen.push(message.text());
    await bus.close();
  }
  assert.deepEqual(seen, ['x']);
});
