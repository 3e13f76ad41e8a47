// SPDX-License-Identifier: Apache-2.0
// Publishes each line of standard input to a channel:
//
//   node publish.mjs SERVER[,SERVER...] CHANNEL [SENDER]

import { createInterface } from 'node:readline';

import { Channels, TroupeError } from '../src/index.js';

const [servers, channel, user] = process.argv.slice(2);
const channels = new Channels({ servers: servers.split(','), user });
for await (const text of createInterface({ input: process.stdin })) {
  try {
    await channels.publish(channel, text);
    console.log('ok', text);
  } catch (e) {
    if (!(e instanceof TroupeError))
      throw e;
    console.log('failed', text, `${e}`);
  }
}
await channels.close();
