// SPDX-License-Identifier: Apache-2.0

/**
 * The nodes a client may use, in the order it tries them; any of a cluster will
 * do. Says http: and ws: as asked, whatever the list says.
 */
export class Servers {
  #bases;
  #at = 0;

  constructor(list) {
    const given = list ?? defaultServers();
    const all = typeof given === 'string' ? [given] : [...given];
    if (all.length === 0)
      throw new TypeError('servers: at least one is needed');
    this.#bases = all.map(parsed);
  }

  get count() {
    return this.#bases.length;
  }

  /** The current one, for messages to people. */
  get name() {
    return this.#bases[this.#at].host;
  }

  http(path) {
    const base = this.#bases[this.#at];
    return `${base.secure ? 'https' : 'http'}://${base.rest}${path}`;
  }

  websocket(path) {
    const base = this.#bases[this.#at];
    return `${base.secure ? 'wss' : 'ws'}://${base.rest}${path}`;
  }

  moveOn() {
    this.#at = (this.#at + 1) % this.#bases.length;
  }
}

function defaultServers() {
  const here = globalThis.location?.origin;
  if (!here || here === 'null')
    throw new TypeError('servers: needed outside of a page');
  return here;
}

function parsed(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new TypeError(`servers: ${text} is no URL`);
  }
  if (!['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol))
    throw new TypeError(`servers: ${text} is not http, https, ws or wss`);
  if (url.username || url.search || url.hash)
    throw new TypeError(`servers: ${text} is more than an address`);
  return {
    host: url.host,
    rest: (url.host + url.pathname).replace(/\/+$/, ''),
    secure: url.protocol === 'https:' || url.protocol === 'wss:',
  };
}
