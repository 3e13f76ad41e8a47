// SPDX-License-Identifier: Apache-2.0
// Nodes on a circle, a line for each pair that has a link.
import { micros } from "../format";
import { address } from "../route";
import type { Node, Nodes } from "../types";
import type { Pair } from "./cluster";

const width = 440;
const height = 300;

interface Place {
  x: number;
  y: number;
}

function places(nodes: Node[]): Map<number, Place> {
  const found = new Map<number, Place>();
  nodes.forEach((node, i) => {
    // Two stand side by side: no line runs through a name.
    const first = nodes.length === 2 ? Math.PI : -Math.PI / 2;
    const turn = (2 * Math.PI * i) / nodes.length + first;
    const lone = nodes.length === 1;
    found.set(node.id, {
      x: width / 2 + (lone ? 0 : Math.cos(turn) * 150),
      y: height / 2 + (lone ? 0 : Math.sin(turn) * 95) + (nodes.length === 3 ? 12 : 0),
    });
  });
  return found;
}

function Line({ pair, from, to }: { pair: Pair; from: Place; to: Place }) {
  const tone = !pair.up ? "bad" : pair.strained ? "warn" : "good";
  return (
    <g class={`link ${tone}`}>
      <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
      <text x={(from.x + to.x) / 2} y={(from.y + to.y) / 2 + 4}>
        {pair.up ? micros(pair.round_trip_us) : "down"}
      </text>
    </g>
  );
}

function Disc({ node, self, place }: { node: Node; self: boolean; place: Place }) {
  const tone = !node.linked || node.state === "absent" ? "bad" : node.state === "member" ? "good" : "warn";
  const share = node.groups > 0 ? node.leads / node.groups : 0;
  const round = 2 * Math.PI * 26;
  return (
    <a
      href={address("actors", { node: self ? "0" : String(node.id) })}
      aria-label={`${node.name}: ${node.linked ? node.state : "not linked"}, leads ${node.leads} of ${node.groups} groups`}
    >
      <g class={`disc ${tone} ${self ? "self" : ""}`} transform={`translate(${place.x} ${place.y})`}>
        <circle r={30} class="body" />
        <circle r={26} class="share-all" />
        <circle
          r={26}
          class="share"
          transform="rotate(-90)"
          stroke-dasharray={`${share * round} ${round}`}
        />
        <text y={-2} class="leads">{node.leads}/{node.groups}</text>
        <text y={11} class="small">leads</text>
        <text y={46} class="name">{node.name || `node ${node.id}`}</text>
        {tone !== "good" && (
          <text y={-37} class="small state">{node.linked ? node.state : "not linked"}</text>
        )}
      </g>
    </a>
  );
}

export function ClusterMap({ nodes, links }: { nodes: Nodes; links: Pair[] }) {
  const there = nodes.nodes.filter((n) => n.state !== "removed");
  const at = places(there);
  return (
    <svg class="map" viewBox={`0 0 ${width} ${height}`} role="group" aria-label="Map of the cluster">
      {links.map((pair) => {
        const [from, to] = [at.get(pair.a), at.get(pair.b)];
        return from && to && <Line key={`${pair.a}-${pair.b}`} pair={pair} from={from} to={to} />;
      })}
      {there.map((node) => (
        <Disc key={node.id} node={node} self={node.id === nodes.self} place={at.get(node.id)!} />
      ))}
    </svg>
  );
}
