// SPDX-License-Identifier: Apache-2.0
// Where we are is in the address, behind '#': #/actors?node=2&prefix=/shards
import { Store } from "./store";

export const views = [
  "cluster",
  "shards",
  "actors",
  "sessions",
  "channels",
  "rights",
  "metrics",
] as const;
export type View = (typeof views)[number];

export interface Route {
  view: View;
  node: number; // 0: the one that gave us the page
  words: URLSearchParams;
}

function here(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const words = new URLSearchParams(query);
  const view = views.find((v) => v === path) ?? "cluster";
  const node = Number(words.get("node") ?? 0);
  return { view, node: Number.isInteger(node) && node > 0 ? node : 0, words };
}

export const route = new Store(here());
window.addEventListener("hashchange", () => route.set(here()));

/** The address of a view. The node stays chosen unless `words` names one. */
export function address(view: View, words: Record<string, string> = {}): string {
  const query = new URLSearchParams();
  const node = words["node"] ?? String(route.value.node);
  if (node !== "0") query.set("node", node);
  for (const [key, value] of Object.entries(words))
    if (key !== "node" && value !== "") query.set(key, value);
  const text = query.toString();
  return `#/${view}${text && "?"}${text}`;
}

export function go(view: View, words: Record<string, string> = {}) {
  location.hash = address(view, words);
}
