// SPDX-License-Identifier: Apache-2.0
// The channels that live, at one node or over all, and the one that was chosen:
// who is there, what went through, what is kept.
import { useState } from "preact/hooks";
import { ask_json, at_node, encoded_path } from "../api";
import { bytes, count, date, rate } from "../format";
import { Choice, Pager, Panel, Pill, Search, Shown, Table, usePages, type Column } from "../parts";
import { usePoll } from "../poll";
import { address, route } from "../route";
import { useStore } from "../store";
import type { Channel, Channels, ChannelState, Nodes } from "../types";

const page_rows = 100;
const present_max = 50;
const orders = ["listeners", "rate", "name"] as const;
const scopes = ["node", "cluster"] as const;

const name_of = (nodes: Nodes, id: number) =>
  nodes.nodes.find((n) => n.id === id)?.name || `node ${id}`;

function columns_of(nodes: Nodes, all: boolean, choose: (c: Channel) => void): Column<Channel>[] {
  const columns: Column<Channel>[] = [
    {
      name: "topic",
      show: (c) => (
        <>
          <button class="link" title="show it, and listen to it" onClick={() => choose(c)}>{c.topic}</button>
          {c.private && <span class="soft"> · private</span>}
        </>
      ),
    },
    { name: "realm", extra: true, show: (c) => c.realm },
    { name: "listeners", number: true, show: (c) => count(c.listeners) },
    { name: "users", number: true, extra: true, show: (c) => count(c.users) },
    { name: "per second", number: true, title: "publications, of late", show: (c) => rate(c.rate) },
    { name: "published", number: true, extra: true, title: "by clients, and at other nodes", show: (c) => count(all ? c.published : c.published + c.received) },
    { name: "delivered", number: true, show: (c) => count(c.delivered) },
    { name: "dropped", number: true, extra: true, title: "for loops whose queue was full", show: (c) => count(c.dropped) },
  ];
  if (all)
    columns.push({
      name: "at",
      extra: true,
      show: (c) => c.nodes?.map((n) => `${name_of(nodes, n.node)} ${count(n.listeners)}`).join(", "),
    });
  return columns;
}

/** Why a list of the cluster may lack something. */
function lacks(data: Channels, nodes: Nodes): string {
  if (data.silent?.length)
    return `No answer from ${data.silent.map((id) => name_of(nodes, id)).join(", ")}.`;
  return data.complete === false ? "More channels than are added up: choose by how they begin." : "";
}

function present(state: ChannelState): string {
  const some = state.presence.slice(0, present_max).map((each) =>
    each.connections === 1 ? each.uid : `${each.uid} (${each.connections})`,
  );
  const more = state.presence.length - some.length;
  if (more > 0) some.push(`${count(more)} more`);
  if (state.listeners_unnamed > 0) some.push(`${count(state.listeners_unnamed)} without a name`);
  return some.join(", ") || "nobody with a name";
}

function kept(state: ChannelState): string {
  const { history } = state;
  return history ? `${count(history.messages)} messages, ${bytes(history.bytes)}` : "nothing";
}

function Chosen({ path }: { path: string }) {
  const { node } = useStore(route);
  const place = at_node(node, `actors/${encoded_path(path.slice(1))}`);
  const polled = usePoll(place, (signal) => ask_json<{ state: ChannelState }>(place, signal));
  return (
    <Shown of={polled}>
      {({ state }) => (
        <dl class="state" aria-label="The channel at this node">
          <div><dt>present</dt><dd>{present(state)}</dd></div>
          <div><dt>came, went</dt><dd>{count(state.joined)}, {count(state.left)}</dd></div>
          <div><dt>last message</dt><dd>{date(state.last_published_ms) || "none yet"}</dd></div>
          <div><dt>history</dt><dd>{kept(state)}</dd></div>
          <div><dt>actor</dt><dd><a href={address("actors", { path })}>{path}</a></dd></div>
        </dl>
      )}
    </Shown>
  );
}

export function ChannelList(props: { nodes: Nodes; onListen: (filter: string) => void }) {
  const { nodes } = props;
  const { node } = useStore(route);
  const [order, sort] = useState<(typeof orders)[number]>("listeners");
  const [scope, look] = useState<(typeof scopes)[number]>("node");
  const [prefix, begin] = useState("");
  const [chosen, choose] = useState<Channel>();
  const pages = usePages(`${node} ${order} ${scope} ${prefix}`);
  const query = new URLSearchParams({ limit: String(page_rows), sort: order, scope });
  if (prefix) query.set("prefix", prefix);
  if (pages.after) query.set("after", pages.after);
  const place = at_node(node, `channels?${query}`);
  const polled = usePoll(place, (signal) => ask_json<Channels>(place, signal));
  const columns = columns_of(nodes, scope === "cluster", (channel) => {
    choose(channel);
    props.onListen(channel.topic);
  });
  return (
    <Panel
      title="Channels"
      class="whole"
      note={polled.data?.live !== undefined && `${count(polled.data.live)} live`}
      tools={
        <>
          <Search label="topics that begin with" value={prefix} onValue={begin} />
          <Choice label="Sorted by" of={orders} value={order} onValue={sort} />
          {nodes.nodes.length > 1 && <Choice label="Of" of={scopes} value={scope} onValue={look} />}
        </>
      }
    >
      <Shown of={polled}>
        {(data) => (
          <>
            {lacks(data, nodes) && <Pill tone="warn">{lacks(data, nodes)}</Pill>}
            {!!data.unshown && <p class="soft">{count(data.unshown)} were served and not shown: more than {count(data.live_max)} at once.</p>}
            <Table label="Channels" columns={columns} rows={data.channels} id={(c) => c.path} chosen={chosen?.path}
              empty={prefix ? "None begins so." : "Nobody listens to a topic by its name."} />
            <Pager pages={pages} next={data.next} />
          </>
        )}
      </Shown>
      {chosen && <Chosen path={chosen.path} />}
    </Panel>
  );
}
