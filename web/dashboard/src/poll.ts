// SPDX-License-Identifier: Apache-2.0
// Asks again and again: one question at a time, less often while it fails, not
// at all while nobody looks.
import { useEffect, useState } from "preact/hooks";
import { token, token_wanted, words_of } from "./api";
import { Store } from "./store";

const back_off_ms_max = 30_000;

/** The reader wants things to stand still. */
export const paused = new Store(false);
/** What the last question has brought that failed; "" if it did not. */
export const trouble = new Store("");

export interface Polled<T> {
  data?: T;
  error?: string;
}

export type Question<T> = (signal: AbortSignal) => Promise<T>;

/** Whether to ask just now. */
const awake = () => !document.hidden && !paused.value && !token_wanted.value;

class Poll<T> {
  #abort = new AbortController();
  #timer = 0;
  #failures = 0;
  #asking = false;
  #due = true;
  #ends: (() => void)[] = [];

  constructor(
    readonly question: Question<T>,
    readonly every: number,
    readonly tell: (got: Polled<T>) => void,
  ) {
    const look = () => this.#look();
    document.addEventListener("visibilitychange", look);
    this.#ends = [
      () => document.removeEventListener("visibilitychange", look),
      paused.listen(look),
      token_wanted.listen(look),
      token.listen(() => this.now()),
    ];
    this.#look();
  }

  end() {
    this.#abort.abort();
    clearTimeout(this.#timer);
    for (const each of this.#ends) each();
  }

  now() {
    clearTimeout(this.#timer);
    this.#due = true;
    this.#look();
  }

  #look() {
    if (!this.#due || this.#asking || !awake()) return;
    this.#due = false;
    this.#asking = true;
    void this.#ask();
  }

  async #ask() {
    const { signal } = this.#abort;
    let got: Polled<T>;
    try {
      got = { data: await this.question(signal) };
      this.#failures = 0;
    } catch (why) {
      got = { error: words_of(why) };
      ++this.#failures;
    }
    this.#asking = false;
    if (signal.aborted) return;
    this.tell(got);
    trouble.set(got.error ?? "");
    const pause = Math.min(this.every * 2 ** this.#failures, back_off_ms_max);
    this.#timer = window.setTimeout(() => {
      this.#due = true;
      this.#look();
    }, pause);
  }
}

/** What `question` brought last. `key` names the question: another one begins
 * anew, without the data of the one before. */
export function usePoll<T>(
  key: string,
  question: Question<T>,
  every = 2000,
): Polled<T> {
  const [seen, see] = useState<Polled<T> & { key: string }>({ key });
  useEffect(() => {
    const poll = new Poll<T>(question, every, (got) =>
      see((old) => ({
        key,
        data: got.data ?? (old.key === key ? old.data : undefined),
        error: got.error,
      })),
    );
    return () => poll.end();
  }, [key, every]);
  return seen.key === key ? seen : {};
}
