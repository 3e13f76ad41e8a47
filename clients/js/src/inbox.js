// SPDX-License-Identifier: Apache-2.0

import { Backoff, pause } from './backoff.js';
import { Deliveries } from './deliveries.js';
import { Closed, Refused, TroupeError } from './errors.js';
import { Link } from './link.js';
import { encodePacket } from './packets.js';
import { Requests } from './requests.js';
import { Servers } from './servers.js';
import { Waiter } from './waiters.js';
import { websocketClass } from './websocket.js';

/** Below the ten minutes for which the broker recognises a repeated post. */
const TIMEOUT_MAX = 540_000;
/** A connection that held so long was a good one: the next try comes soon. */
const STEADY = 5_000;
/** What no other server, and no later time, answers otherwise. */
const FINAL = new Set([
  'invalid name',
  'new nodename required',
  'nodeId unknown',
  'not permitted',
  'userId inactive',
  'userId unknown',
]);
/** Ends that have nothing to do with what was sent. */
const INNOCENT = new Set([
  'close timeout',
  'node already active',
  'server busy',
  'service unavailable',
  'shutdown',
  'timed out',
]);

const DEFAULTS = {
  window: 32,
  timeout: 30_000,
  connectTimeout: 10_000,
  keepAlive: 20_000,
  requestsMax: 1024,
  requestBytesMax: 16 << 20,
};

/**
 * A user's inbox as one of his devices sees it, and the way to post: the
 * durable plane. Keeps itself connected to any one of the servers until it is
 * closed, goes on from the cursor, repeats what was not answered.
 */
export class Inbox {
  #options;
  #servers;
  #backoff;
  #requests;
  #deliveries;
  #link;
  #ready = []; // deliveries nobody has received yet, at most a window
  #receivers = []; // those who wait for one
  #openers = []; // those who wait for the first login
  #additions = []; // ids of addDevice requests that were sent
  #state = 'idle';
  #ended; // why, once it is over
  #stop = new AbortController();
  #registered = false;
  #loggedIn = false; // at least once
  #ackDue = false;
  #prefix = randomText();
  #count = 0;

  constructor(options) {
    const { user, device } = options ?? {};
    if (typeof user !== 'string' || user === '')
      throw new TypeError('user: a text is needed');
    if (typeof device !== 'string' || device === '')
      throw new TypeError('device: a text is needed');
    this.#options = { ...DEFAULTS, ...options };
    if (!(Number.isInteger(this.#options.window) && this.#options.window > 0))
      throw new RangeError('window: a whole number from 1 on');
    this.#servers = new Servers(options.servers);
    this.#backoff = new Backoff(options.backoff);
    this.#deliveries = new Deliveries(() => this.#scheduleAck());
    this.#deliveries.cursor = options.cursor;
    this.#requests = new Requests({
      countMax: this.#options.requestsMax,
      bytesMax: this.#options.requestBytesMax,
      send: (bytes) => this.#send(bytes),
    });
  }

  /** An inbox that is logged in. */
  static async open(options, waiting) {
    const inbox = new Inbox(options);
    try {
      await inbox.open(waiting);
    } catch (e) {
      await inbox.close();
      throw e;
    }
    return inbox;
  }

  /** "idle", "connecting", "open", "waiting" or "closed". */
  get state() {
    return this.#state;
  }

  /** Position up to which everything was acknowledged; keep it and give it
   * back as the option `cursor` to be told of gaps. Undefined before the login.
   */
  get cursor() {
    return this.#deliveries.cursor;
  }

  /** Waits for the first login. */
  open({ timeout, signal } = {}) {
    if (this.#ended)
      return Promise.reject(this.#ended);
    if (this.#state === 'open')
      return Promise.resolve();
    const waiter = new Waiter({
      timeout,
      signal,
      forget: (w) => remove(this.#openers, w),
    });
    this.#openers.push(waiter);
    if (this.#state === 'idle')
      this.#run();
    return waiter.promise;
  }

  // --- sending -------------------------------------------------------------

  /**
   * `to`: a user, several, or { to, one, list, listWithMe }. Resolves once it
   * is on stable storage: { id, unreached }, with a line for each recipient
   * that was not reached.
   */
  async post(to, data, options = {}) {
    const header = { op: 'post', id: options.id ?? this.#nextId() };
    header.to = recipients(to);
    if (options.copyToOwnDevices === false)
      header.noNodes = 1;
    return this.#sendMessage(header, data, options);
  }

  /** To whoever goes by that alias; etc and data are 4 KiB at most. */
  async ping(alias, data, options = {}) {
    const header = { op: 'ping', id: options.id ?? this.#nextId(), alias };
    return this.#sendMessage(header, data, options);
  }

  addToList(list, user, options) {
    return this.#editList('add', list, user, options);
  }

  inviteToList(list, alias, options) {
    return this.#editList('invite', list, alias, options);
  }

  removeFromList(list, user, options) {
    return this.#editList('remove', list, user, options);
  }

  /** Another device, which inherits what this one has not acknowledged. */
  async addDevice(device, options = {}) {
    const id = `device ${this.#nextId()}`;
    const bytes = encodePacket({
      op: 'addNode',
      userId: this.#options.user,
      newNode: device,
      prevNode: this.#options.device,
    });
    await this.#request(id, bytes, {
      ...options,
      repeatable: false,
      onSent: () => this.#additions.push(id),
    });
  }

  // --- receiving -----------------------------------------------------------

  /** The next delivery. */
  receive({ timeout, signal } = {}) {
    if (signal?.aborted)
      return Promise.reject(signal.reason);
    if (this.#ready.length > 0)
      return Promise.resolve(this.#ready.shift());
    if (this.#ended)
      return Promise.reject(this.#ended);
    const waiter = new Waiter({
      timeout,
      signal,
      forget: (w) => remove(this.#receivers, w),
    });
    this.#receivers.push(waiter);
    return waiter.promise;
  }

  /** Deliveries until the inbox is closed; leaving the loop leaves it open. */
  async *[Symbol.asyncIterator]() {
    for (;;) {
      let delivery;
      try {
        delivery = await this.receive();
      } catch (e) {
        if (e instanceof Closed)
          return;
        throw e;
      }
      yield delivery;
    }
  }

  /** What was acked is told to the server; what is not answered fails. */
  async close() {
    if (this.#ended)
      return;
    this.#flushAck();
    this.#end(new Closed('the inbox was closed'));
  }

  // --- requests ------------------------------------------------------------

  async #sendMessage(header, data, { etc, ttl, timeout, signal }) {
    if (ttl !== undefined)
      header.ttl = ttl;
    header.dedup = true;
    const bytes = encodePacket(header, { etc, data });
    const remark = await this.#request(header.id, bytes, {
      repeatable: true,
      timeout,
      signal,
    });
    const unreached = remark === '' ? [] : remark.split('\n');
    return { id: header.id, unreached };
  }

  async #editList(type, list, member, { etc, data, timeout, signal } = {}) {
    const id = this.#nextId();
    const bytes = encodePacket(
      { op: 'listEdit', id, to: list, type, member },
      { etc, data },
    );
    await this.#request(id, bytes, { repeatable: false, timeout, signal });
  }

  async #request(id, bytes, { timeout, ...how }) {
    const limit = timeout ?? this.#options.timeout;
    if (!(limit > 0 && limit <= TIMEOUT_MAX))
      throw new RangeError(`timeout: above 0, at most ${TIMEOUT_MAX} ms`);
    if (this.#ended)
      throw this.#ended;
    return this.#requests.add(id, bytes, { ...how, timeout: limit });
  }

  #nextId() {
    return `${this.#prefix}-${++this.#count}`;
  }

  #send(bytes) {
    if (this.#state !== 'open')
      return false;
    this.#link.send(bytes);
    return true;
  }

  // --- the connection ------------------------------------------------------

  async #run() {
    try {
      const WebSocket = this.#options.WebSocket ?? (await websocketClass());
      while (!this.#ended) {
        const since = Date.now();
        await this.#connection(WebSocket);
        if (this.#ended)
          return;
        if (Date.now() - since >= STEADY)
          this.#backoff.reset();
        this.#servers.moveOn();
        await pause(this.#backoff.next(), this.#stop.signal);
      }
    } catch (e) {
      if (!this.#ended)
        this.#end(e);
    }
  }

  /** One connection from its first to its last byte. */
  #connection(WebSocket) {
    return new Promise((done) => {
      this.#change('connecting');
      let probe;
      const link = new Link(WebSocket, this.#servers.websocket('/mq'), {
        connectTimeout: this.#options.connectTimeout,
        onOpen: () => this.#greet(link),
        onPacket: (packet) => {
          if (this.#state === 'open') {
            this.#packet(packet);
          } else if (this.#greeted(link, packet)) {
            probe = this.#watch(link);
          }
        },
        onEnd: (reason, code, quit) => {
          clearInterval(probe);
          this.#lost(reason, code, quit);
          done();
        },
      });
      this.#link = link;
    });
  }

  #greet(link) {
    const { user, device, create, aliases, window } = this.#options;
    if (create && !this.#registered)
      return link.send(
        encodePacket({
          op: 'register',
          userId: user,
          newNode: device,
          aliases: [aliases ?? []].flat().join(' '),
        }),
      );
    const login = { op: 'login', userId: user, nodeId: device, window };
    if (this.cursor !== undefined)
      login.resume = this.cursor;
    link.send(encodePacket(login));
  }

  /** Whether the login is through. */
  #greeted(link, { header }) {
    if (header.op === 'registered') {
      // That the user is there already is what was asked for.
      if (header.error && header.error !== 'user exists') {
        this.#refuse(header.error, link);
        return false;
      }
      this.#registered = true;
      this.#greet(link);
      return false;
    }
    if (header.op !== 'info') {
      link.end(`${header.op} instead of the login's answer`);
      return false;
    }
    link.settled();
    this.#loggedIn = true;
    this.#deliveries.connected();
    this.#deliveries.cursor = header.position; // after a gap another one
    this.#change('open', { gap: header.resume === 'gap' });
    this.#requests.connected();
    for (const opener of this.#openers.splice(0))
      opener.resolve();
    return true;
  }

  #packet(packet) {
    const { header } = packet;
    if (header.op === 'ack')
      return this.#requests.answered(header);
    if (header.op === 'added') {
      const id = this.#additions.shift();
      const { error } = header;
      const type = error ? 'error' : 'ok';
      return this.#requests.answered({ id, type, error });
    }
    if (typeof header.id !== 'string')
      return; // of no use to us, or newer than we are
    if (!['deliver', 'listEdited', 'registered'].includes(header.op))
      return;
    const delivery = this.#deliveries.arrived(packet);
    if (!delivery)
      return;
    const receiver = this.#receivers.shift();
    if (receiver)
      receiver.resolve(delivery);
    else
      this.#ready.push(delivery);
  }

  /** A browser does not show pings: asks for an answer of no meaning. */
  #watch(link) {
    const { keepAlive } = this.#options;
    if (!keepAlive)
      return undefined;
    const probe = encodePacket({
      op: 'post',
      id: 'alive?',
      to: {},
      noNodes: 1,
      dedup: false,
    });
    let before = link.received;
    let asked = false;
    return setInterval(() => {
      const silent = link.received === before;
      before = link.received;
      if (silent && asked)
        return link.end('the server is silent');
      if (silent)
        link.send(probe);
      asked = silent;
    }, keepAlive / 2);
  }

  #lost(reason, code, quit) {
    if (this.#ended)
      return;
    const wasOpen = this.#state === 'open';
    this.#change('waiting', { reason });
    this.#additions = [];
    if (wasOpen) {
      const complaint =
        code === 1009 || (quit !== undefined && !INNOCENT.has(quit));
      this.#requests.disconnected(reason, complaint);
    } else if (quit !== undefined) {
      this.#refuse(quit);
    }
  }

  /** Ends everything if no other server would answer otherwise. */
  #refuse(reason, link) {
    // Another node may not know yet what this user's first one does.
    if (FINAL.has(reason) && !this.#loggedIn)
      this.#end(new Refused(reason));
    else
      link?.end(reason);
  }

  #end(error) {
    this.#ended = error;
    this.#change('closed', { reason: error.message });
    this.#stop.abort(error);
    this.#requests.end(error);
    for (const waiter of this.#openers.splice(0))
      waiter.reject(error);
    for (const waiter of this.#receivers.splice(0))
      waiter.reject(error);
    this.#link?.end(error.message, 1000);
  }

  /** One ack for all that were acked in this turn. */
  #scheduleAck() {
    if (this.#ackDue)
      return;
    this.#ackDue = true;
    queueMicrotask(() => {
      this.#ackDue = false;
      this.#flushAck();
    });
  }

  #flushAck() {
    const id = this.#deliveries.takeAck();
    if (id !== undefined)
      this.#send(encodePacket({ op: 'ack', id, type: 'ok' }));
  }

  #change(state, more = {}) {
    if (this.#state === 'closed')
      return;
    this.#state = state;
    this.#options.onChange?.({ state, server: this.#servers.name, ...more });
  }
}

function recipients(to) {
  const groups =
    typeof to === 'string' || Array.isArray(to) ? { to } : (to ?? {});
  const kinds = { to: 1, one: 0, list: 2, listWithMe: 3 };
  const out = Object.create(null);
  for (const [group, names] of Object.entries(groups)) {
    if (!(group in kinds))
      throw new TypeError(
        `recipients: ${group} is none of ${Object.keys(kinds).join(', ')}`,
      );
    for (const name of [names].flat()) {
      if (typeof name !== 'string')
        throw new TypeError('recipients: names are texts');
      if (name in out && out[name] !== kinds[group])
        throw new TypeError(`recipients: ${name} is there in two ways`);
      out[name] = kinds[group];
    }
  }
  return out;
}

function remove(from, what) {
  const at = from.indexOf(what);
  if (at >= 0)
    from.splice(at, 1);
}

function randomText() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
