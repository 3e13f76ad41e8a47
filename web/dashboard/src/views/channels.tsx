// SPDX-License-Identifier: Apache-2.0
// Channels and all that is listened to, what is said there, and a way to say
// something.
import { useEffect, useRef, useState } from "preact/hooks";
import { ask_json, at_node, post_json, token, token_wanted, words_of } from "../api";
import { count } from "../format";
import { Pager, Panel, Pill, Shown, Table, usePages, type Column } from "../parts";
import { paused, usePoll } from "../poll";
import { route } from "../route";
import { Store, useStore } from "../store";
import { tail, type TailState } from "../tail";
import type { Filter, Interest, Nodes, Publication } from "../types";
import { ChannelList } from "./channel_list";

const page_rows = 100;
const lines_max = 200;
const shown_chars_max = 2000;

interface Line {
  number: number;
  at: string;
  message: Publication;
}

/** What is listened to, also when another view was looked at meanwhile. */
const listened = new Store("#");

function useTail(node: number, filter: string, on: boolean) {
  const of = `${node} ${filter}`;
  const [told, set_told] = useState<{ of: string; state: TailState; why?: string }>({ of, state: "begins" });
  const [lines, set_lines] = useState<Line[]>([]);
  const numbers = useRef(0);
  const secret = useStore(token);
  const asked = useStore(token_wanted);
  const [visible, see] = useState(!document.hidden);
  useEffect(() => {
    const look = () => see(!document.hidden);
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  useEffect(() => {
    if (!on || !visible || asked) return;
    const end = new AbortController();
    set_told({ of, state: "begins" });
    void tail(node, filter, end.signal, ({ messages = [], ...now }) => {
      set_told({ of, ...now });
      if (messages.length === 0) return;
      const at = new Date().toTimeString().slice(0, 8);
      const more = messages.map((message) => ({ number: ++numbers.current, at, message }));
      set_lines((old) => [...more.reverse(), ...old].slice(0, lines_max));
    });
    return () => end.abort();
  }, [node, filter, on, visible, asked, secret]);
  const state = told.of === of ? told : { state: "begins" as const, why: "" };
  return { ...state, lines, seen: numbers.current, clear: () => set_lines([]) };
}

function content(m: Publication): string {
  const text = m.data ?? "";
  if (m.data_base64 !== undefined) return `base64: ${m.data_base64.slice(0, shown_chars_max)}`;
  if (text.length <= shown_chars_max) return text;
  return `${text.slice(0, shown_chars_max)}… (${count(text.length)} characters)`;
}

const Said = ({ line, nodes }: { line: Line; nodes: Nodes }) => {
  const { message: m } = line;
  const node = nodes.nodes.find((n) => n.id === m.node)?.name;
  return (
    <li>
      <p class="soft">
        <time>{line.at}</time> <b>{m.topic}</b>
        {m.sender && <span>from {m.sender}</span>}
        {node && <span>at {node}</span>}
        {m.content_type && <span class="extra">{m.content_type}</span>}
      </p>
      <pre>{content(m)}</pre>
    </li>
  );
};

const tones: Record<TailState, ["good" | "warn" | "bad" | "plain", string]> = {
  begins: ["plain", "begins"],
  streams: ["good", "live"],
  asks: ["warn", "in turns, with gaps"],
  failed: ["bad", "no answer"],
  refused: ["bad", "refused"],
};

function TailPanel({ nodes }: { nodes: Nodes }) {
  const { node } = useStore(route);
  const filter = useStore(listened);
  const still = useStore(paused);
  const [typed, type] = useState(filter);
  const [on, turn] = useState(true);
  useEffect(() => type(filter), [filter]);
  const live = useTail(node, filter, on && !still);
  const [tone, words] = tones[live.state];
  return (
    <Panel
      title="Live tail"
      note={on && !still ? <Pill tone={tone}>{words}</Pill> : <Pill tone="plain">stopped</Pill>}
      class="tail"
      tools={
        <>
          <form class="inline" onSubmit={(e) => { e.preventDefault(); listened.set(typed.trim() || "#"); turn(true); }}>
            <input class="search" aria-label="filter of the tail" value={typed} spellcheck={false}
              onInput={(e) => type(e.currentTarget.value)} />
            <button type="submit">Listen</button>
          </form>
          <button onClick={() => turn(!on)}>{on ? "Stop" : "Start"}</button>
          <button onClick={live.clear}>Clear</button>
        </>
      }
    >
      {live.why && <p class="bad-text" role="alert">{live.why}</p>}
      {live.lines.length === 0 ? (
        <p class="empty">Nothing yet on <code>{filter}</code>.</p>
      ) : (
        <div class="said" role="log" aria-label="Publications, newest first" tabIndex={0}>
          <ol>
            {live.lines.map((line) => <Said key={line.number} line={line} nodes={nodes} />)}
          </ol>
        </div>
      )}
      <p class="soft">{count(live.seen)} seen; the last {lines_max} are kept.</p>
    </Panel>
  );
}

interface Outcome {
  filters: number;
  nodes: number;
  dropped: number;
}

function PublishBox() {
  const [topic, set_topic] = useState("");
  const [data, set_data] = useState("");
  const [kind, set_kind] = useState("text/plain");
  const [said, say] = useState<{ text: string; bad: boolean }>();
  const [busy, set_busy] = useState(false);
  const publish = async (event: Event) => {
    event.preventDefault();
    if (busy || topic.trim() === "") return;
    set_busy(true);
    try {
      const done = await post_json<Outcome>("topics/publish", { topic: topic.trim(), data, content_type: kind });
      say({
        text: `Published: ${count(done.filters)} filters here, ${count(done.nodes)} other nodes${done.dropped ? `, ${done.dropped} had no room` : ""}.`,
        bad: done.dropped > 0,
      });
    } catch (why) {
      say({ text: `Not published: ${words_of(why)}.`, bad: true });
    }
    set_busy(false);
  };
  const on_key = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void publish(event);
  };
  return (
    <Panel title="Publish" class="publish">
      <form onSubmit={publish} onKeyDown={on_key}>
        <label>
          <span>Topic</span>
          <input id="topic" value={topic} placeholder="news/sport" spellcheck={false}
            onInput={(e) => set_topic(e.currentTarget.value)} />
        </label>
        <label>
          <span>Content type</span>
          <input id="content-type" value={kind} spellcheck={false}
            onInput={(e) => set_kind(e.currentTarget.value)} />
        </label>
        <label class="whole">
          <span>Data</span>
          <textarea id="data" rows={3} value={data} onInput={(e) => set_data(e.currentTarget.value)} />
        </label>
        <button class="main" type="submit" disabled={busy || topic.trim() === ""}>Publish</button>
        <span class={said?.bad ? "bad-text" : "soft"} role="status">{said?.text}</span>
      </form>
    </Panel>
  );
}

function Filters({ nodes }: { nodes: Nodes }) {
  const { node } = useStore(route);
  const pages = usePages(String(node));
  const query = new URLSearchParams({ limit: String(page_rows), after: pages.after });
  const place = at_node(node, `interest?${query}`);
  const polled = usePoll(place, (signal) => ask_json<Interest>(place, signal));
  const name = (id: number) => nodes.nodes.find((n) => n.id === id)?.name || `node ${id}`;
  const columns: Column<Filter>[] = [
    {
      name: "filter",
      show: (f) => (
        <button class="link" title="listen to it" onClick={() => listened.set(f.filter)}>{f.filter}</button>
      ),
    },
    { name: "realm", extra: true, show: (f) => f.realm },
    { name: "here", number: true, title: "subscriptions of this node", show: (f) => count(f.subscriptions) },
    { name: "also at", show: (f) => f.nodes.map(name).join(", ") },
  ];
  return (
    <Panel title="Subscriptions" note={polled.data && `${count(polled.data.subscriptions)} subscriptions, ${count(polled.data.own_filters)} filters here`}>
      <Shown of={polled}>
        {(data) => (
          <>
            <Table label="Subscriptions" columns={columns} rows={data.filters}
              id={(f) => `${f.realm} ${f.filter}`} empty="Nobody listens to anything." />
            <Pager pages={pages} next={data.next} />
          </>
        )}
      </Shown>
    </Panel>
  );
}

export function ChannelsView({ nodes }: { nodes: Nodes }) {
  return (
    <div class="grid channels">
      <ChannelList nodes={nodes} onListen={(filter) => listened.set(filter)} />
      <Filters nodes={nodes} />
      <div class="column">
        <PublishBox />
        <TailPanel nodes={nodes} />
      </div>
    </div>
  );
}
