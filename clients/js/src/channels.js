// SPDX-License-Identifier: Apache-2.0

import {
  OutcomeUnknown,
  Overflow,
  Refused,
  TimedOut,
  Unreachable,
} from './errors.js';
import { EventReader } from './events.js';
import { MultipartReader } from './multipart.js';
import { toBytes } from './packets.js';
import { Servers } from './servers.js';
import { Subscription } from './subscription.js';

const DEFAULTS = {
  via: 'sse',
  timeout: 30_000,
  connectTimeout: 10_000,
  messageBytesMax: 20 << 20,
  publishesMax: 1024,
};

/** How a stream is asked for and read, by the name of the door. */
const DOORS = {
  sse: {
    accept: 'text/event-stream',
    query: { format: 'json' },
    reader: EventReader,
    idleTimeout: 60_000, // the server says something every 15 s
  },
  msgbus: {
    accept: 'multipart/x-mixed-replace',
    query: {},
    reader: MultipartReader,
    idleTimeout: 0,
  },
};

/** What the system says of a connection that never was. */
const NOT_CONNECTED = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Channels: the ephemeral plane. What is published reaches who listens just
 * then, on any node, at most once.
 */
export class Channels {
  #options;
  #servers;
  #door;
  #last = Promise.resolve(); // of the publications, one after the other
  #waiting = 0;
  #subscriptions = new Set();

  constructor(options = {}) {
    this.#options = { ...DEFAULTS, ...options };
    if (!Object.hasOwn(DOORS, this.#options.via))
      throw new TypeError(`via: one of ${Object.keys(DOORS).join(', ')}`);
    const { token, user, password } = this.#options;
    if (token !== undefined && (user ?? password) !== undefined)
      throw new TypeError('token: it says who it is, without user or password');
    this.#door = DOORS[this.#options.via];
    this.#servers = new Servers(options.servers);
  }

  /**
   * Resolves once it was handed to all who listen. Publications of one object
   * go out in order. A server that cannot be reached is passed over; one that
   * was lost meanwhile is not: OutcomeUnknown.
   */
  async publish(channel, data, { type, timeout, signal } = {}) {
    const body = toBytes(data);
    const request = {
      method: 'POST',
      headers: {
        ...this.#credentials(),
        'Content-Type': type ?? defaultType(data),
      },
      body,
    };
    const target = '/msgbus/' + checkedChannel(channel);
    if (this.#waiting >= this.#options.publishesMax)
      throw new Overflow(`${this.#waiting} publications wait`);
    ++this.#waiting;
    const before = this.#last;
    let done;
    this.#last = new Promise((resolve) => (done = resolve));
    const stop = deadline(timeout ?? this.#options.timeout, signal);
    try {
      await stop.race(before);
      await this.#hand(target, { ...request, signal: stop.signal }, stop);
    } finally {
      stop.clear();
      before.then(done);
      --this.#waiting;
    }
  }

  /**
   * A subscription that listens already. The channel "" stands for all of
   * them. Options: types and senders (patterns), since, timeout, signal,
   * onChange.
   */
  async subscribe(channel, options = {}) {
    const { types, senders, since, timeout, signal, onChange } = options;
    const target = '/msgbus/' + checkedChannel(channel);
    const query = { ...this.#door.query };
    if (types !== undefined)
      query.type = [types].flat().join(',');
    if (senders !== undefined)
      query.sender = [senders].flat().join(',');
    const servers = new Servers(this.#options.servers);
    const open = (how) => this.#stream(servers, target, query, how);
    const subscription = new Subscription(open, servers, {
      channel,
      since,
      onChange: onChange ?? this.#options.onChange,
      backoff: this.#options.backoff,
      connectTimeout: this.#options.connectTimeout,
      idleTimeout: this.#options.idleTimeout ?? this.#door.idleTimeout,
    });
    await subscription.open({ timeout, signal });
    for (const each of this.#subscriptions)
      if (each.state === 'closed')
        this.#subscriptions.delete(each);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** Closes its subscriptions. */
  async close() {
    for (const each of this.#subscriptions)
      await each.close();
    this.#subscriptions.clear();
  }

  async #hand(target, request, stop) {
    for (let left = this.#servers.count; ; --left) {
      try {
        const answer = await fetch(this.#servers.http(target), request);
        await answer.arrayBuffer();
        if (answer.status !== 204)
          throw refused(answer);
        return;
      } catch (e) {
        if (stop.signal.aborted)
          throw stop.reason(true);
        if (e instanceof Refused)
          throw e;
        const name = this.#servers.name;
        this.#servers.moveOn();
        if (!NOT_CONNECTED.has(e.cause?.code))
          throw new OutcomeUnknown(`the connection to ${name} failed`,
            { cause: e });
        if (left <= 1)
          throw new Unreachable('no server can be reached', { cause: e });
      }
    }
  }

  async #stream(servers, target, query, { since, signal }) {
    const all = new URLSearchParams(query);
    if (since !== undefined)
      all.set('since', since);
    const text = all.size > 0 ? `?${all}` : '';
    const answer = await fetch(servers.http(target + text), {
      headers: { ...this.#credentials(), Accept: this.#door.accept },
      cache: 'no-store',
      signal,
    });
    if (answer.status !== 200) {
      await answer.body?.cancel();
      throw refused(answer);
    }
    const Reader = this.#door.reader;
    return {
      chunks: answer.body.getReader(),
      reader: new Reader(this.#options.messageBytesMax),
    };
  }

  #credentials() {
    const { token, user, password } = this.#options;
    if (token !== undefined)
      return { Authorization: `Bearer ${token}` };
    if (user === undefined)
      return {};
    const text = `${user}:${password ?? ''}`;
    const bytes = String.fromCharCode(...toBytes(text));
    return { Authorization: `Basic ${btoa(bytes)}` };
  }
}

function defaultType(data) {
  return typeof data === 'string'
    ? 'text/plain; charset=utf-8'
    : 'application/octet-stream';
}

/** What a target can carry as it is: nothing is decoded on the other side. */
function checkedChannel(channel) {
  if (typeof channel !== 'string')
    throw new TypeError('channel: a text is needed');
  if (!/^[A-Za-z0-9\-._~!$&()*+,;=:@%/]*$/.test(channel))
    throw new TypeError(
      `channel ${JSON.stringify(channel)}: write other bytes as %XX`,
    );
  if (channel.split('/').some((level) => /^(\.|%2e){1,2}$/i.test(level)))
    throw new TypeError(`channel ${channel}: "." and ".." can't be sent`);
  return channel;
}

function refused(answer) {
  const temporary = answer.status >= 500 || answer.status === 429;
  return new Refused(`${answer.status} ${answer.statusText}`, { temporary });
}

/** One signal for a time and a caller's own. */
function deadline(milliseconds, signal) {
  const own = new AbortController();
  const handle = setTimeout(() => own.abort(), milliseconds);
  const both = signal ? AbortSignal.any([own.signal, signal]) : own.signal;
  const reason = (sent) =>
    signal?.aborted
      ? signal.reason
      : new TimedOut(`no answer in ${milliseconds} ms`, { sent });
  let leave;
  const gone = new Promise((_, reject) => {
    leave = () => reject(reason(false));
    both.addEventListener('abort', leave, { once: true });
    if (both.aborted)
      leave();
  });
  gone.catch(() => {});
  return {
    signal: both,
    reason,
    race: (other) => Promise.race([other, gone]),
    clear: () => {
      clearTimeout(handle);
      both.removeEventListener('abort', leave);
    },
  };
}
