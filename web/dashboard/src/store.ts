// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "preact/hooks";

/** One value that components look at together. */
export class Store<T> {
  #listeners = new Set<() => void>();

  constructor(public value: T) {}

  set(value: T) {
    if (value === this.value) return;
    this.value = value;
    for (const each of [...this.#listeners]) each();
  }

  listen(listener: () => void) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

export function useStore<T>(store: Store<T>): T {
  const [, again] = useState(0);
  useEffect(() => store.listen(() => again((n) => n + 1)), [store]);
  return store.value;
}
