// SPDX-License-Identifier: Apache-2.0

import { TroupeError } from './errors.js';

/** The runtime's own WebSocket; the package "ws" where there is none. */
export async function websocketClass() {
  if (typeof globalThis.WebSocket === 'function')
    return globalThis.WebSocket;
  // In a variable, so that bundlers for browsers leave it alone.
  const name = 'ws';
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name))
      .WebSocket;
  } catch (e) {
    throw new TroupeError(
      'this runtime has no WebSocket: npm install ws',
      { cause: e },
    );
  }
}
