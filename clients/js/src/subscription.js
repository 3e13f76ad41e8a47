// SPDX-License-Identifier: Apache-2.0

import { Backoff, pause } from './backoff.js';
import { Body } from './body.js';
import { Closed, Refused, TimedOut, TroupeError } from './errors.js';
import { Waiter } from './waiters.js';

/** Ids of events remembered, as another node's history may overlap. */
const IDS_MAX = 1024;
const STEADY = 5_000;

/** A publication as one subscriber got it. */
export class Message extends Body {
  constructor({ channel, sender, type, id, data }) {
    super(data);
    this.channel = channel;
    this.sender = sender;
    this.type = type;
    this.id = id;
  }
}

/**
 * Listens at a channel, over connections, until it is closed. Reads from the
 * network only while somebody waits for a message: who is slow is noticed by
 * the server, which drops what is too much. Made by Channels.subscribe().
 */
export class Subscription {
  #door; // ({ since, signal }) => { chunks, reader }
  #servers;
  #backoff;
  #options;
  #stream; // { chunks, reader } of this connection
  #abort = new AbortController(); // of this connection
  #over = new AbortController(); // of everything
  #ready = [];
  #pulling = false;
  #receivers = [];
  #state = 'idle';
  #since;
  #ids = new Set();
  #openedAt = 0;

  constructor(door, servers, options) {
    this.#door = door;
    this.#servers = servers;
    this.#options = options;
    this.#since = options.since;
    this.#backoff = new Backoff(options.backoff);
  }

  get state() {
    return this.#state;
  }

  /** The id of the last message that was received, for the option `since`;
   * undefined if none came, or if the door gives none. */
  get cursor() {
    return this.#since;
  }

  /** INTERNAL: returns once it listens. */
  async open({ timeout, signal } = {}) {
    const limit = timer(timeout);
    const leave = () => this.#over.abort(signal.reason);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      signal?.throwIfAborted();
      await Promise.race([this.#connect(), limit.promise]);
    } catch (e) {
      this.#finish(e);
      throw signal?.aborted ? signal.reason : e;
    } finally {
      limit.clear();
      signal?.removeEventListener('abort', leave);
    }
  }

  /** The next message. */
  receive({ timeout, signal } = {}) {
    if (signal?.aborted)
      return Promise.reject(signal.reason);
    if (this.#ready.length > 0)
      return Promise.resolve(this.#take(this.#ready.shift()));
    if (this.#over.signal.aborted)
      return Promise.reject(this.#over.signal.reason);
    const receiver = new Waiter({
      timeout,
      signal,
      forget: (waiter) => this.#forget(waiter),
    });
    this.#receivers.push(receiver);
    this.#pull();
    return receiver.promise;
  }

  /** Messages until it is closed; leaving the loop leaves it open. */
  async *[Symbol.asyncIterator]() {
    for (;;) {
      let message;
      try {
        message = await this.receive();
      } catch (e) {
        if (e instanceof Closed)
          return;
        throw e;
      }
      yield message;
    }
  }

  async close() {
    this.#finish(new Closed('the subscription was closed'));
  }

  #take(message) {
    if (message.id !== undefined)
      this.#since = message.id;
    return message;
  }

  #forget(receiver) {
    const at = this.#receivers.indexOf(receiver);
    if (at >= 0)
      this.#receivers.splice(at, 1);
  }

  /** Reads as long as somebody waits. */
  async #pull() {
    if (this.#pulling)
      return;
    this.#pulling = true;
    try {
      while (this.#receivers.length > 0) {
        if (!this.#stream)
          await this.#connect();
        await this.#read();
      }
    } catch (e) {
      this.#finish(e);
    } finally {
      this.#pulling = false;
    }
  }

  /** What comes next; a lost connection is none. */
  async #read() {
    const { chunks, reader } = this.#stream;
    const { idleTimeout } = this.#options;
    const limit = timer(
      idleTimeout,
      () => new TroupeError(`silent for ${idleTimeout} ms`),
    );
    try {
      const read = chunks.read();
      const { done, value } = await Promise.race([read, limit.promise]);
      if (done)
        throw new TroupeError('the server ended the stream');
      for (const each of reader.feed(value))
        this.#arrived(each);
    } catch (e) {
      if (this.#over.signal.aborted)
        throw this.#over.signal.reason;
      this.#lost(e);
    } finally {
      limit.clear();
    }
  }

  #arrived(fields) {
    if (fields.id !== undefined) {
      if (this.#ids.has(fields.id))
        return;
      this.#ids.add(fields.id);
      if (this.#ids.size > IDS_MAX)
        this.#ids.delete(this.#ids.values().next().value);
    }
    const message = new Message({
      ...fields,
      channel: fields.channel ?? this.#options.channel,
    });
    const receiver = this.#receivers.shift();
    if (receiver)
      receiver.resolve(this.#take(message));
    else
      this.#ready.push(message); // at most what one read brings
  }

  #lost(error) {
    this.#abort.abort(error);
    this.#stream = undefined;
    if (Date.now() - this.#openedAt >= STEADY)
      this.#backoff.reset();
    this.#servers.moveOn();
    this.#change('waiting', { reason: error.message });
  }

  /** Tries one server after the other until there is a stream. */
  async #connect() {
    const over = this.#over.signal;
    if (this.#state === 'waiting')
      await pause(this.#backoff.next(), over);
    while (!this.#stream) {
      over.throwIfAborted();
      this.#change('connecting');
      this.#abort = new AbortController();
      const both = AbortSignal.any([this.#abort.signal, over]);
      const limit = setTimeout(
        () => this.#abort.abort(new TimedOut('no answer in time')),
        this.#options.connectTimeout,
      );
      try {
        this.#stream = await this.#door({ since: this.#since, signal: both });
        this.#openedAt = Date.now();
        this.#change('open');
      } catch (e) {
        if (over.aborted)
          throw over.reason;
        if (e instanceof Refused && !e.temporary)
          throw e;
        this.#lost(e);
        await pause(this.#backoff.next(), over);
      } finally {
        clearTimeout(limit);
      }
    }
  }

  #finish(error) {
    if (this.#state === 'closed')
      return;
    this.#change('closed', { reason: error.message });
    this.#over.abort(error);
    this.#abort.abort(error);
    for (const receiver of this.#receivers.splice(0))
      receiver.reject(error);
  }

  #change(state, more = {}) {
    if (this.#state === 'closed')
      return;
    this.#state = state;
    this.#options.onChange?.({ state, server: this.#servers.name, ...more });
  }
}

/** A promise that only fails, after that time; never without one. */
function timer(
  milliseconds,
  error = () => new TimedOut(`nothing in ${milliseconds} ms`),
) {
  let handle;
  const promise = new Promise((_, reject) => {
    if (milliseconds)
      handle = setTimeout(() => reject(error()), milliseconds);
  });
  promise.catch(() => {});
  return { promise, clear: () => clearTimeout(handle) };
}
