// SPDX-License-Identifier: Apache-2.0
// Who keeps, and who leads, which group.
import { useRef, useState } from "preact/hooks";
import { ask_json } from "../api";
import { ask_every, type Answered } from "../every_node";
import { count } from "../format";
import { Panel, Pill, Search, Shown } from "../parts";
import { usePoll } from "../poll";
import { address } from "../route";
import type { Group, Node, Nodes } from "../types";

const rows_max = 64;

/** Each group as its leader sees it, else as whoever knows most of it. */
export function merged(all: Answered<{ shards: Group[] }>[]): Group[] {
  const best = new Map<number, Group>();
  const worth = (group: Group, of: number) =>
    group.leader === of ? Infinity : group.voters.length > 0 ? group.term : -1;
  const worths = new Map<number, number>();
  for (const { node, data } of all)
    for (const group of data?.shards ?? []) {
      const value = worth(group, node);
      if (value <= (worths.get(group.group) ?? -Infinity)) continue;
      worths.set(group.group, value);
      best.set(group.group, group);
    }
  return [...best.values()].sort((a, b) => a.group - b.group);
}

interface Seat {
  mark: string;
  style: string;
  words: string;
}

function seat(group: Group, node: number): Seat {
  const follower = group.followers?.find((f) => f.node === node);
  const lag = follower?.lag ?? 0;
  const behind = lag > 0 ? `, ${lag} behind` : "";
  if (group.leader === node) return { mark: "leads", style: "leads", words: "leads" };
  if (group.voters.includes(node) && follower?.active === false)
    return { mark: "✕", style: "votes bad", words: `votes, silent${behind}` };
  if (group.voters.includes(node))
    return {
      mark: lag > 0 ? `−${count(lag)}` : "●",
      style: lag > 0 ? "votes warn" : "votes",
      words: `votes${behind}`,
    };
  if (group.learners.includes(node))
    return { mark: "◔", style: "learns", words: `learns${behind}` };
  if (group.wanted?.includes(node))
    return { mark: "○", style: "wanted", words: "shall vote, does not yet" };
  return { mark: "", style: "", words: "nothing of it" };
}

const reached = (node: Node | undefined, self: number) =>
  node === undefined || node.linked || node.id === self;

function State({ group, nodes, self }: { group: Group; nodes: Node[]; self: number }) {
  const of = (id: number) => nodes.find((n) => n.id === id);
  if (group.leader === null || group.leader === 0 || !reached(of(group.leader), self))
    return <Pill tone="bad">no leader</Pill>;
  const silent = group.followers?.some((f) => !f.active && group.voters.includes(f.node));
  if (silent) return <Pill tone="warn">voter silent</Pill>;
  const wanted = group.wanted ?? group.voters;
  const whole = wanted.length === group.voters.length && wanted.every((n) => group.voters.includes(n));
  return whole ? <Pill tone="good">whole</Pill> : <Pill tone="warn">moving</Pill>;
}

function Matrix({ groups, nodes, self }: { groups: Group[]; nodes: Node[]; self: number }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Groups and nodes">
      <table class="matrix">
        <thead>
          <tr>
            <th scope="col">group</th>
            {nodes.map((n) => (
              <th key={n.id} scope="col" class={`seat ${reached(n, self) ? "" : "bad"}`}
                title={reached(n, self) ? undefined : "not linked"}>
                {n.name || n.id}
              </th>
            ))}
            <th scope="col">state</th>
            <th scope="col" class="number">term</th>
            <th scope="col" class="number">commit</th>
            <th scope="col" class="number extra">applied</th>
            <th scope="col" class="number extra">pending</th>
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <tr key={group.group}>
              <th scope="row">
                <a href={address("actors", { path: group.group === 0 ? "/directory" : `/shards/${group.group}` })}>
                  {group.group === 0 ? "directory" : group.group}
                </a>
              </th>
              {nodes.map((n) => {
                const { mark, style, words } = seat(group, n.id);
                return (
                  <td key={n.id} class={`seat ${style}`} title={words}>
                    <span aria-label={words}>{mark}</span>
                  </td>
                );
              })}
              <td><State group={group} nodes={nodes} self={self} /></td>
              <td class="number">{group.term}</td>
              <td class="number">{count(group.commit)}</td>
              <td class="number extra">{count(group.applied)}</td>
              <td class="number extra">{count(group.pending)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function ShardsView({ nodes }: { nodes: Nodes }) {
  const latest = useRef(nodes);
  latest.current = nodes;
  const [text, search] = useState("");
  const [page, turn] = useState(0);
  const polled = usePoll(
    "shards",
    (signal) =>
      ask_every(latest.current, (path_of) =>
        ask_json<{ shards: Group[] }>(path_of("shards"), signal),
      ).then(merged),
    3000,
  );
  const columns: Node[] = nodes.nodes.length
    ? nodes.nodes.filter((n) => n.state !== "removed")
    : [{ id: nodes.self, name: "this node" } as Node];
  const fits = (g: Group) =>
    text === "" || (g.group === 0 ? "directory" : String(g.group)).startsWith(text.toLowerCase());
  return (
    <Panel
      title="Shards"
      note="each as its leader sees it"
      tools={<Search label="group" value={text} onValue={(t) => { search(t); turn(0); }} />}
    >
      <Shown of={polled}>
        {(all) => {
          const found = all.filter(fits);
          const pages = Math.max(1, Math.ceil(found.length / rows_max));
          const at = Math.min(page, pages - 1);
          return (
            <>
              <Matrix groups={found.slice(at * rows_max, (at + 1) * rows_max)} nodes={columns} self={nodes.self} />
              {pages > 1 && (
                <nav class="pager" aria-label="Pages">
                  <button disabled={at === 0} onClick={() => turn(at - 1)}>← Back</button>
                  <span>page {at + 1} of {pages}</span>
                  <button disabled={at === pages - 1} onClick={() => turn(at + 1)}>More →</button>
                </nav>
              )}
              <p class="legend soft">
                <b class="seat leads">leads</b> <b class="seat votes">●</b> votes
                <b class="seat votes warn">−3</b> votes, 3 entries behind
                <b class="seat votes bad">✕</b> votes, is silent
                <b class="seat learns">◔</b> learns <b class="seat wanted">○</b> shall vote
              </p>
            </>
          );
        }}
      </Shown>
    </Panel>
  );
}
