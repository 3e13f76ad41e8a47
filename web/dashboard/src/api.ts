// SPDX-License-Identifier: Apache-2.0
// Requests to the admin listener that gave us this page. Paths are relative, so
// that a proxy may put it below a folder.
import { Store } from "./store";

const patience_ms = 15_000;

/** In memory only: the token is a credential, a reload asks for it again. */
export const token = new Store("");
/** The listener wants another token than we have. */
export const token_wanted = new Store(false);

export function use_token(text: string) {
  token.set(text);
  token_wanted.set(false);
}

export class Refused extends Error {
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(text);
  }
}

async function complaint(answer: Response): Promise<string> {
  try {
    const said = await answer.json();
    const text = [said.error, said.detail].filter(Boolean).join(": ");
    if (text) return text;
  } catch {
    // no JSON
  }
  return `status ${answer.status}`;
}

/** The answer, if it is one of success; else throws. */
export async function ask(
  path: string,
  options: RequestInit = {},
): Promise<Response> {
  const headers = new Headers(options.headers);
  if (token.value) headers.set("Authorization", `Bearer ${token.value}`);
  const answer = await fetch(path, { cache: "no-store", ...options, headers });
  if (answer.ok) return answer;
  if (answer.status === 401) token_wanted.set(true);
  throw new Refused(answer.status, await complaint(answer));
}

function bounded(signal?: AbortSignal): AbortSignal {
  const limit = AbortSignal.timeout(patience_ms);
  return signal ? AbortSignal.any([signal, limit]) : limit;
}

export async function ask_json<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await ask(path, { signal: bounded(signal) })).json() as Promise<T>;
}

export async function ask_text(path: string, signal?: AbortSignal) {
  return (await ask(path, { signal: bounded(signal) })).text();
}

export async function post_json<T>(path: string, body: unknown): Promise<T> {
  const answer = await ask(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
    signal: bounded(),
  });
  return answer.json() as Promise<T>;
}

/** The same question to another node; 0 is the one that we talk to. */
export const at_node = (node: number, path: string) =>
  node === 0 ? path : `nodes/${node}/${path}`;

/** "a/b", each segment as a request needs it. */
export const encoded_path = (path: string) =>
  path.split("/").map(encodeURIComponent).join("/");

export function words_of(why: unknown): string {
  if (why instanceof Refused) return why.message;
  if (why instanceof DOMException && why.name === "TimeoutError")
    return "no answer in time";
  if (why instanceof TypeError) return "no connection";
  return String(why);
}
