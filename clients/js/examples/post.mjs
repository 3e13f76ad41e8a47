// SPDX-License-Identifier: Apache-2.0
// Posts each line of standard input to a user:
//
//   node post.mjs SERVER[,SERVER...] USER DEVICE RECIPIENT
//
// "ok LINE" means that it is on stable storage; whatever server is lost
// meanwhile, the line is posted once.

import { createInterface } from 'node:readline';

import { Inbox, TroupeError } from '../src/index.js';

const [servers, user, device, recipient] = process.argv.slice(2);
const inbox = await Inbox.open({
  servers: servers.split(','),
  user,
  device,
  create: true,
  timeout: 60_000,
  onChange: ({ state, server, reason = '' }) =>
    console.error(state, server, reason),
});
for await (const text of createInterface({ input: process.stdin })) {
  try {
    const { unreached } = await inbox.post(recipient, text);
    console.log(unreached.length > 0 ? 'not reached' : 'ok', text);
  } catch (e) {
    if (!(e instanceof TroupeError))
      throw e;
    console.log('failed', text, `${e}`);
  }
}
await inbox.close();
