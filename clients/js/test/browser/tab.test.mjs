// SPDX-License-Identifier: Apache-2.0
// Both planes in Chromium without a window, at a node that serves this package
// (TROUPE_TEST_URL); no bundler. A page that complains fails its test.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

const { TROUPE_TEST_CHROMIUM, TROUPE_TEST_URL: url } = process.env;
const timeout = 60_000;
let browser;
let complaints = [];

before(async () => {
  browser = await chromium.launch({
    executablePath: TROUPE_TEST_CHROMIUM,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
});
after(() => browser?.close());

async function open(path) {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(timeout);
  page.on('console', (line) => complaints.push(line.text()));
  page.on('pageerror', (error) => complaints.push(`${error}`));
  await page.goto(url + path);
  return page;
}

function check() {
  assert.deepEqual(complaints.splice(0), []);
}

test('tabs hear each other and show what is said as text', async () => {
  const [one, two] = await Promise.all(
    ['one', 'two'].map((user) =>
      open(`/examples/tab.html?channel=tabs&user=${user}`),
    ),
  );
  for (const tab of [one, two])
    await tab.getByRole('status').filter({ hasText: 'open' }).waitFor();
  for (const text of ['hello', '<b>zwei</b> é 😀']) {
    await one.getByLabel('Message').fill(text);
    await one.getByRole('button').click();
  }
  for (const tab of [one, two]) {
    await tab.getByRole('listitem').nth(1).waitFor();
    assert.deepEqual(await tab.getByRole('listitem').allTextContents(), [
      'one: hello',
      'one: <b>zwei</b> é 😀',
    ]);
  }
  check();
});

test('inboxes work in a page, by its own WebSocket', async () => {
  const page = await open('/examples/tab.html?channel=quiet');
  const seen = await page.evaluate(async () => {
    const { Inbox } = await import('/src/index.js');
    const open = (user) => Inbox.open({ user, device: 'tab', create: true });
    const [anna, bob] = [await open('anna'), await open('bob')];
    const { unreached } = await anna.post('bob', 'hello', { etc: { a: 1 } });
    await anna.post('bob', new Uint8Array([0, 255]));
    const [first, second] = [await bob.receive(), await bob.receive()];
    first.ack();
    second.ack();
    await anna.close();
    await bob.close();
    return [
      unreached,
      [first.sender, first.text(), first.etc],
      [...second.data],
    ];
  });
  assert.deepEqual(seen, [[], ['anna', 'hello', { a: 1 }], [0, 255]]);
  check();
});
