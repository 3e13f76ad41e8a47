// SPDX-License-Identifier: Apache-2.0
// Listens to topics: one answer that does not end, or, where that is not to be
// had (at another node), one request after the other with gaps in between.
import { ask, at_node, Refused, words_of } from "./api";
import type { Publication } from "./types";

const retry_ms_min = 1000;
const retry_ms_max = 30_000;
/** An event must not be larger; the listener's own bound is below. */
const event_chars_max = 16 * 1024 * 1024;

export type TailState = "begins" | "streams" | "asks" | "failed" | "refused";

export interface TailTold {
  state: TailState;
  why?: string;
  messages?: Publication[];
}

/** Ends with `signal`. */
export async function tail(
  node: number,
  filter: string,
  signal: AbortSignal,
  tell: (told: TailTold) => void,
) {
  let pause = retry_ms_min;
  const query = new URLSearchParams({ filter, count: "100", seconds: "2" });
  while (!signal.aborted) {
    try {
      const answer = await ask(at_node(node, `topics/tail?${query}`), {
        headers: { Accept: "text/event-stream" },
        signal,
      });
      pause = retry_ms_min;
      if (answer.headers.get("Content-Type")?.startsWith("text/event-stream")) {
        tell({ state: "streams" });
        await read_events(answer, (data) =>
          tell({ state: "streams", messages: data }),
        );
      } else {
        const { messages } = await answer.json();
        tell({ state: "asks", messages });
        continue; // at once: what comes between two requests is not seen
      }
    } catch (why) {
      if (signal.aborted) return;
      const refused = why instanceof Refused && why.status === 400;
      tell({ state: refused ? "refused" : "failed", why: words_of(why) });
      if (refused) return;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(2 * pause, retry_ms_max);
  }
}

/** Data of events, several at once if they came so. */
export async function read_events(
  answer: Response,
  take: (messages: Publication[]) => void,
) {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop()!;
    if (text.length > event_chars_max) throw new Error("an event is too large");
    const messages = events
      .map((event) =>
        event
          .split("\n")
          .filter((line) => line.startsWith("data:"))
          .map((line) => line.slice(5).trimStart())
          .join("\n"),
      )
      .filter((data) => data !== "")
      .map((data) => JSON.parse(data) as Publication);
    if (messages.length > 0) take(messages);
  }
}
