// SPDX-License-Identifier: Apache-2.0
// Compiled, not run: what a TypeScript program may and may not write.

import { Channels, Inbox, Refused, Subscription } from '../src/index.js';

export async function durable(): Promise<number | undefined> {
  const inbox = await Inbox.open(
    { servers: ['http://a'], user: 'alice', device: 'x', cursor: 7 },
    { timeout: 1000 },
  );
  const { unreached } = await inbox.post({ one: 'bob' }, 'hi', { ttl: 1 });
  const lines: string[] = unreached;
  for await (const delivery of inbox) {
    delivery.ack();
    if (delivery.kind === 'list changed' && lines.length > 0)
      return delivery.position;
    // @ts-expect-error there is no such kind
    if (delivery.kind === 'other')
      break;
  }
  // @ts-expect-error a device is needed
  new Inbox({ user: 'alice' });
  // @ts-expect-error no data of that kind
  await inbox.post('bob', { a: 1 });
  return inbox.cursor;
}

export async function ephemeral(): Promise<string> {
  const channels = new Channels({ via: 'sse' });
  try {
    await channels.publish('a', new Uint8Array(1), { type: 'x/y' });
  } catch (e) {
    if (e instanceof Refused && e.temporary)
      return e.reason;
  }
  const subscription: Subscription = await channels.subscribe('a');
  // @ts-expect-error made by Channels.subscribe() only
  new Subscription();
  // @ts-expect-error not spoken yet
  new Channels({ via: 'zenconn' });
  return (await subscription.receive()).text();
}
