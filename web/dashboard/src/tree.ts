// SPDX-License-Identifier: Apache-2.0
// Paths of actors as a tree: what stands below a branch is summed up there.
import type { Actor } from "./types";

/** Branches with more below them are closed until somebody opens them. */
const open_below_max = 40;

export interface Row {
  path: string;
  name: string;
  depth: number;
  actor?: Actor;
  below: number; // actors, this one apart
  mailbox: number;
  rate: number | undefined;
  handled: number;
  dropped: number;
  open_at_first: boolean;
  children: Row[];
}

function row(path: string, name: string, depth: number): Row {
  return {
    path,
    name,
    depth,
    below: 0,
    mailbox: 0,
    rate: undefined,
    handled: 0,
    dropped: 0,
    open_at_first: true,
    children: [],
  };
}

function add(to: Row, actor: Actor, rate: number | undefined) {
  to.mailbox += actor.mailbox;
  to.handled += actor.handled ?? 0;
  to.dropped += actor.dropped ?? 0;
  if (rate !== undefined) to.rate = (to.rate ?? 0) + rate;
}

const by_name = new Intl.Collator("en", { numeric: true }).compare;

function finish(of: Row) {
  of.open_at_first = of.below <= open_below_max;
  of.children.sort((a, b) => by_name(a.name, b.name));
  of.children.forEach(finish);
}

/** The root, which is no actor and has depth -1. */
export function build_tree(actors: Actor[], rates: Map<string, number>): Row {
  const root = row("", "", -1);
  const known = new Map<string, Row>([["", root]]);
  for (const actor of actors) {
    let path = "";
    let at = root;
    const names = actor.path.split("/").slice(1);
    names.forEach((name, depth) => {
      path += `/${name}`;
      let next = known.get(path);
      if (!next) {
        next = row(path, name, depth);
        known.set(path, next);
        at.children.push(next);
      }
      add(next, actor, rates.get(actor.path));
      if (depth === names.length - 1) next.actor = actor;
      else ++next.below;
      at = next;
    });
  }
  finish(root);
  return root;
}

/** What is to be seen, from top to bottom. */
export function open_rows(root: Row, open: (row: Row) => boolean): Row[] {
  const found: Row[] = [];
  const walk = (of: Row) => {
    for (const child of of.children) {
      found.push(child);
      if (open(child)) walk(child);
    }
  };
  walk(root);
  return found;
}

/** Longest mailboxes first, then the most at work; no tree. */
export function busiest(actors: Actor[], rates: Map<string, number>): Row[] {
  return actors
    .map((actor) => {
      const made = row(actor.path, actor.path, 0);
      made.actor = actor;
      add(made, actor, rates.get(actor.path));
      return made;
    })
    .sort((a, b) => b.mailbox - a.mailbox || (b.rate ?? 0) - (a.rate ?? 0) || by_name(a.path, b.path));
}
