// SPDX-License-Identifier: Apache-2.0
// Prints what arrives in a user's inbox, each message once:
//
//   node tail.mjs SERVER[,SERVER...] USER DEVICE

import { Inbox } from '../src/index.js';

const [servers, user, device] = process.argv.slice(2);
const inbox = await Inbox.open({
  servers: servers.split(','),
  user,
  device,
  create: true,
  onChange: ({ state, server, reason = '' }) =>
    console.error(state, server, reason),
});
for await (const delivery of inbox) {
  console.log(`${delivery.sender}: ${delivery.text()}`);
  delivery.ack(); // only now: what was not printed comes again
}
