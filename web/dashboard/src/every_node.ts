// SPDX-License-Identifier: Apache-2.0
// The same question to every node of the cluster, over the one we talk to.
import { at_node, words_of } from "./api";
import type { Nodes } from "./types";

/** With more nodes than this only the one we talk to is asked. */
export const nodes_asked_max = 12;

export interface Answered<T> {
  node: number;
  data?: T;
  error?: string;
}

/** Ids of the nodes to ask; [0] for a node without a cluster. */
export function nodes_to_ask(nodes: Nodes): number[] {
  const all = nodes.nodes.filter((n) => n.state !== "removed");
  if (all.length === 0) return [nodes.self];
  if (all.length > nodes_asked_max) return [nodes.self];
  return all.map((n) => n.id);
}

/** What each says; one that is not linked is not asked. */
export function ask_every<T>(
  nodes: Nodes,
  question: (path_of: (path: string) => string) => Promise<T>,
): Promise<Answered<T>[]> {
  return Promise.all(
    nodes_to_ask(nodes).map(async (node) => {
      const known = nodes.nodes.find((n) => n.id === node);
      if (known && !known.linked && node !== nodes.self)
        return { node, error: "not linked" };
      const at = node === nodes.self ? 0 : node;
      try {
        return { node, data: await question((path) => at_node(at, path)) };
      } catch (why) {
        if (node === nodes.self) throw why;
        return { node, error: words_of(why) };
      }
    }),
  );
}

