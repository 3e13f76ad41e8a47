// SPDX-License-Identifier: Apache-2.0
// The map, the key figures and the nodes.
import { useEffect, useRef, useState } from "preact/hooks";
import { ask_json, ask_text } from "../api";
import { ask_every, nodes_asked_max, type Answered } from "../every_node";
import { bytes, count, micros, rate } from "../format";
import { parse_metrics, per_second, total, type Scrape } from "../metrics";
import { ClusterMap } from "./map";
import { Panel, Pill, Shown, Sparkline, Table, type Column, type Tone } from "../parts";
import { usePoll } from "../poll";
import { address } from "../route";
import type { Link, Node, Nodes } from "../types";

export interface NodeReport {
  scrape: Scrape;
  links: Link[];
}

const history_max = 90;
/** A moment's work is below it. */
const queued_much = 256 * 1024;

/** What is counted over all nodes: current values and rates. */
const figures = [
  { name: "Sessions", metric: "troupe_sessions", kind: "value" },
  { name: "Connections", metric: "troupe_connections", kind: "value" },
  { name: "Posts / s", metric: "troupe_posts_accepted_total", kind: "rate" },
  { name: "Deliveries / s", metric: "troupe_deliveries_total", kind: "rate" },
  { name: "Published / s", metric: "troupe_publishes_total", kind: "rate" },
  { name: "Memory", metric: "process_resident_memory_bytes", kind: "bytes" },
] as const;

type Reports = Answered<NodeReport>[];
type Figures = (number | undefined)[];

const report_of = (reports: Reports | undefined, node: number) =>
  reports?.find((r) => r.node === node)?.data;

function node_figure(
  now: Reports,
  before: Reports | undefined,
  node: number,
  figure: (typeof figures)[number],
): number | undefined {
  const new_one = report_of(now, node)?.scrape;
  if (figure.kind !== "rate") return total(new_one, figure.metric);
  const old = report_of(before, node)?.scrape;
  if (!new_one || !old) return undefined;
  return per_second(
    total(old, figure.metric),
    total(new_one, figure.metric),
    new_one.at - old.at,
  );
}

function sum_of(now: Reports, before: Reports | undefined): Figures {
  return figures.map((figure) =>
    now
      .map((r) => node_figure(now, before, r.node, figure))
      .reduce((sum, v) => (v === undefined ? sum : (sum ?? 0) + v), undefined),
  );
}

const states: Record<string, Tone> = {
  member: "good",
  joining: "warn",
  draining: "warn",
  absent: "bad",
  removed: "plain",
};

export const NodeState = ({ node }: { node: Node }) => (
  <Pill tone={node.linked ? (states[node.state] ?? "plain") : "bad"}>
    {node.linked || node.state === "removed" ? node.state : "not linked"}
  </Pill>
);

async function ask_report(path_of: (path: string) => string, signal: AbortSignal) {
  const [text, links] = await Promise.all([
    ask_text(path_of("metrics"), signal),
    ask_json<{ links: Link[] }>(path_of("links"), signal),
  ]);
  return { scrape: parse_metrics(text, performance.now()), links: links.links };
}

/** The last reports, those before, and the sums of the last minutes. */
function useReports(nodes: Nodes) {
  const latest = useRef(nodes);
  latest.current = nodes;
  const polled = usePoll(
    "reports",
    (signal) =>
      ask_every(latest.current, (path_of) => ask_report(path_of, signal)),
    3000,
  );
  const [seen, see] = useState<{ now?: Reports; before?: Reports; sums: Figures[] }>({
    sums: [],
  });
  useEffect(() => {
    const { data } = polled;
    if (!data) return;
    see((old) =>
      old.now === data
        ? old
        : {
            now: data,
            before: old.now,
            sums: [...old.sums, sum_of(data, old.now)].slice(-history_max),
          },
    );
  }, [polled.data]);
  return { polled, ...seen };
}

const show_figure = (kind: string, value: number | undefined) =>
  value === undefined ? "–" : kind === "bytes" ? bytes(value) : kind === "rate" ? rate(value) : count(value);

function KeyFigures({ sums }: { sums: Figures[] }) {
  const last = sums[sums.length - 1];
  return (
    <ul class="figures" aria-label="Key figures">
      {figures.map((figure, i) => (
        <li key={figure.name}>
          <span class="soft">{figure.name}</span>
          <strong>{show_figure(figure.kind, last?.[i])}</strong>
          <Sparkline values={sums.map((s) => s[i])} />
        </li>
      ))}
    </ul>
  );
}

export function ClusterView({ nodes }: { nodes: Nodes }) {
  const { polled, now, before, sums } = useReports(nodes);
  const alone = nodes.nodes.length === 0;
  const rows: Node[] = alone
    ? [{ id: nodes.self, name: "this node", address: "", state: "member", incarnation: 0,
        linked: true, round_trip_us: 0, groups: 0, leads: 0 }]
    : nodes.nodes;
  const cell = (name: string) => (row: Node) => {
    const figure = figures.find((f) => f.name === name)!;
    return now && show_figure(figure.kind, node_figure(now, before, row.id, figure));
  };
  const columns: Column<Node>[] = [
    {
      name: "node",
      show: (n) => (
        <a href={address("actors", { node: n.id === nodes.self ? "0" : String(n.id) })}>
          {n.name || `node ${n.id}`}
          {n.id === nodes.self && !alone && <span class="soft"> (this)</span>}
        </a>
      ),
    },
    { name: "state", show: (n) => <NodeState node={n} /> },
    ...(alone
      ? []
      : ([
          { name: "id", number: true, extra: true, show: (n) => n.id },
          { name: "address", extra: true, show: (n) => <span class="whole">{n.address}</span> },
          { name: "leads", number: true, show: (n) => n.leads },
          { name: "groups", number: true, show: (n) => n.groups },
          {
            name: "round trip", number: true, extra: true,
            show: (n) => (n.id === nodes.self || !n.linked ? "" : micros(n.round_trip_us)),
          },
        ] as Column<Node>[])),
    { name: "sessions", number: true, show: cell("Sessions") },
    { name: "posts/s", number: true, extra: true, show: cell("Posts / s") },
    { name: "deliveries/s", number: true, extra: true, show: cell("Deliveries / s") },
    { name: "memory", number: true, extra: true, show: cell("Memory") },
  ];
  const links = report_of(now, nodes.self)?.links ?? [];
  return (
    <div class="grid cluster">
      <KeyFigures sums={sums} />
      {!alone && rows.length <= nodes_asked_max && (
        <Panel title="Map" note={`cluster ${nodes.cluster.slice(0, 8)}`}>
          <ClusterMap nodes={nodes} links={linked_pairs(now)} />
        </Panel>
      )}
      <div class="column">
      <Panel title="Nodes" note={alone ? "not in a cluster" : count(rows.length)}>
        <Shown of={{ ...polled, data: polled.data ?? now }}>
          {() => <Table label="Nodes" columns={columns} rows={rows} id={(n) => n.id} empty="" />}
        </Shown>
      </Panel>
      {!alone && (
        <Panel title="Links" note="of this node">
          <LinkTable links={links} nodes={nodes} />
        </Panel>
      )}
      </div>
    </div>
  );
}

export interface Pair {
  a: number;
  b: number;
  up: boolean;
  round_trip_us: number;
  /** One of both sees it and the other doesn't, or much waits. */
  strained: boolean;
}

/** Both ends' views of each link, as one. */
function linked_pairs(reports: Reports | undefined): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const { node, data } of reports ?? [])
    for (const link of data?.links ?? []) {
      const [a, b] = node < link.peer ? [node, link.peer] : [link.peer, node];
      const up = link.state === "up";
      const queued = (link.bulk?.queued_bytes ?? 0) + (link.control?.queued_bytes ?? 0);
      const known = pairs.get(`${a}-${b}`);
      pairs.set(`${a}-${b}`, {
        a,
        b,
        up: up && (known?.up ?? true),
        round_trip_us: Math.max(known?.round_trip_us ?? 0, link.round_trip_us),
        strained: (known?.strained ?? false) || queued > queued_much || (known !== undefined && known.up !== up),
      });
    }
  return [...pairs.values()];
}

function LinkTable({ links, nodes }: { links: Link[]; nodes: Nodes }) {
  const dropped = (link: Link) => Object.values(link.dropped).reduce((a, b) => a + b, 0);
  const columns: Column<Link>[] = [
    { name: "to", show: (l) => <span class="whole">{nodes.nodes.find((n) => n.id === l.peer)?.name || `node ${l.peer}`}</span> },
    { name: "state", show: (l) => <Pill tone={l.state === "up" ? "good" : "bad"}>{l.state}</Pill> },
    { name: "round trip", number: true, show: (l) => (l.state === "up" ? micros(l.round_trip_us) : "") },
    { name: "silence", number: true, extra: true, show: (l) => (l.silence_ms == null ? "" : `${l.silence_ms} ms`) },
    { name: "in", number: true, show: (l) => bytes(l.bytes_in) },
    { name: "out", number: true, show: (l) => bytes(l.bytes_out) },
    { name: "queued", number: true, show: (l) => bytes((l.control?.queued_bytes ?? 0) + (l.bulk?.queued_bytes ?? 0)) },
    { name: "dropped", number: true, show: (l) => count(dropped(l)) },
    { name: "times up", number: true, extra: true, show: (l) => l.times_up },
    { name: "TLS", extra: true, show: (l) => (l.encrypted ? "yes" : "no") },
    { name: "last error", extra: true, show: (l) => l.last_error },
  ];
  return <Table label="Links" columns={columns} rows={links} id={(l) => l.peer} empty="No links." />;
}
