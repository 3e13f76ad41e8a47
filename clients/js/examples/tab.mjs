// SPDX-License-Identifier: Apache-2.0
// Of tab.html: shows what is published to a channel, and publishes.

import { Channels } from '../src/index.js';

const asked = new URLSearchParams(location.search);
const channel = asked.get('channel') ?? 'demo';
const [title, status, list, form] = ['h1', '[role=status]', 'ol', 'form'].map(
  (what) => document.querySelector(what),
);
title.textContent = channel;

const channels = new Channels({
  user: asked.get('user') ?? 'tab',
  onChange: ({ state, server, reason = '' }) =>
    (status.textContent = `${state} ${server} ${reason}`),
});

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const [input] = form.elements;
  const text = input.value;
  input.value = '';
  try {
    await channels.publish(channel, text);
  } catch (e) {
    status.textContent = `${text}: ${e}`;
  }
});

try {
  for await (const message of await channels.subscribe(channel)) {
    const line = document.createElement('li');
    // As text: whoever may publish could have written anything.
    line.textContent = `${message.sender ?? 'somebody'}: ${message.text()}`;
    list.append(line);
  }
} catch (e) {
  status.textContent = `${e}`;
}
