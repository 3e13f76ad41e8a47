// SPDX-License-Identifier: Apache-2.0
// Prints what is published to a channel ("" for all), by server-sent events or
// multipart:
//
//   node listen.mjs SERVER[,SERVER...] CHANNEL [sse|msgbus]

import { Channels } from '../src/index.js';

const [servers, channel, via = 'sse'] = process.argv.slice(2);
const channels = new Channels({
  servers: servers.split(','),
  via,
  onChange: ({ state, server, reason = '' }) =>
    console.error(state, server, reason),
});
for await (const message of await channels.subscribe(channel)) {
  const who = message.sender ? `${message.sender} ` : '';
  console.log(`${who}at ${message.channel}: ${message.text()}`);
}
