// SPDX-License-Identifier: Apache-2.0
// The live tree of actors, and the state of one.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ask_json, at_node, encoded_path } from "../api";
import { count, duration, rate } from "../format";
import { per_second } from "../metrics";
import { Choice, Pager, Panel, Search, Shown, usePages } from "../parts";
import { usePoll } from "../poll";
import { go, route } from "../route";
import { useStore } from "../store";
import { build_tree, busiest, open_rows, type Row } from "../tree";
import type { Actor } from "../types";
import { State } from "./state";

const page_rows = 500;

interface ActorsPage {
  actors: Actor[];
  next: string | null;
  at: number;
}

/** How many messages a second each has handled between the last two answers. */
function useRates(data: ActorsPage | undefined): Map<string, number> {
  const before = useRef<ActorsPage | undefined>(undefined);
  return useMemo(() => {
    const old = before.current;
    before.current = data;
    const rates = new Map<string, number>();
    if (!old || !data || old === data) return rates;
    const handled = new Map(old.actors.map((a) => [a.path, a.handled]));
    for (const a of data.actors) {
      const value = per_second(handled.get(a.path), a.handled, data.at - old.at);
      if (value !== undefined) rates.set(a.path, value);
    }
    return rates;
  }, [data]);
}

function Mailbox({ length }: { length: number }) {
  const share = Math.min(100, Math.round(25 * Math.log10(length + 1)));
  return (
    <span class={`mailbox ${length > 1000 ? "bad" : length > 50 ? "warn" : ""}`}>
      <span class="bar" style={{ width: `${share}%` }} />
      <span class="value">{count(length)}</span>
    </span>
  );
}

function Line(props: {
  row: Row;
  chosen: string;
  focused: boolean;
  open: boolean;
  onFocus: () => void;
  onToggle: () => void;
}) {
  const { row, open } = props;
  const leaf = row.actor;
  const branch = row.below > 0;
  return (
    <tr
      role="row"
      aria-level={row.depth + 1}
      aria-expanded={branch ? open : undefined}
      aria-selected={row.path === props.chosen}
      tabIndex={props.focused ? 0 : -1}
      data-path={row.path}
      class={row.path === props.chosen ? "chosen" : ""}
      onFocus={props.onFocus}
      onClick={() => (leaf ? go("actors", { ...words_now(), path: row.path }) : props.onToggle())}
    >
      <td>
        <span class="branch" style={{ paddingLeft: `${row.depth * 1.1}em` }}>
          <span
            class="twist"
            aria-hidden="true"
            onClick={(e) => { e.stopPropagation(); props.onToggle(); }}
          >
            {branch ? (open ? "▾" : "▸") : ""}
          </span>
          <span class={leaf ? "" : "soft"}>{row.name}</span>
          {branch && <span class="soft">{count(row.below)}</span>}
        </span>
      </td>
      <td class="extra soft">{leaf?.kind}</td>
      <td class="number"><Mailbox length={row.mailbox} /></td>
      <td class="number">{rate(row.rate)}</td>
      <td class="number extra">{count(row.handled)}</td>
      <td class={`number extra ${row.dropped ? "bad-text" : ""}`}>{count(row.dropped)}</td>
      <td class="number extra">{leaf?.loop}</td>
    </tr>
  );
}

const words_now = () => Object.fromEntries(route.value.words);

function Tree(props: { rows: Row[]; open: (row: Row) => boolean; onToggle: (row: Row) => void; chosen: string }) {
  const { rows, open } = props;
  const [focused, focus] = useState("");
  const body = useRef<HTMLTableSectionElement>(null);
  const at = Math.max(0, rows.findIndex((r) => r.path === focused));
  const move = (to: number) => {
    const row = rows[Math.min(Math.max(to, 0), rows.length - 1)];
    if (!row) return;
    focus(row.path);
    const lines = body.current?.querySelectorAll<HTMLElement>("tr") ?? [];
    [...lines].find((l) => l.dataset["path"] === row.path)?.focus();
  };
  const on_key = (event: KeyboardEvent) => {
    const row = rows[at];
    if (!row) return;
    const branch = row.below > 0;
    const keys: Record<string, () => void> = {
      ArrowDown: () => move(at + 1),
      ArrowUp: () => move(at - 1),
      Home: () => move(0),
      End: () => move(rows.length - 1),
      ArrowRight: () => (branch && !open(row) ? props.onToggle(row) : move(at + 1)),
      ArrowLeft: () => {
        if (branch && open(row)) return props.onToggle(row);
        const parent = rows.slice(0, at).findLastIndex((r) => r.depth < row.depth);
        if (parent >= 0) move(parent);
      },
      Enter: () => (row.actor ? go("actors", { ...words_now(), path: row.path }) : props.onToggle(row)),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  return (
    <div class="scroll">
      <table role="treegrid" aria-label="Actors" class="tree" onKeyDown={on_key}>
        <thead>
          <tr>
            <th scope="col">path</th>
            <th scope="col" class="extra">kind</th>
            <th scope="col" class="number">mailbox</th>
            <th scope="col" class="number" title="messages handled a second">/s</th>
            <th scope="col" class="number extra">handled</th>
            <th scope="col" class="number extra">dropped</th>
            <th scope="col" class="number extra">loop</th>
          </tr>
        </thead>
        <tbody ref={body}>
          {rows.map((row, i) => (
            <Line
              key={row.path}
              row={row}
              chosen={props.chosen}
              focused={i === at}
              open={open(row)}
              onFocus={() => focus(row.path)}
              onToggle={() => props.onToggle(row)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** One actor, asked for by itself. */
function Detail({ path, node }: { path: string; node: number }) {
  const place = at_node(node, `actors${encoded_path(path)}`);
  const polled = usePoll(place, (signal) => ask_json<Actor>(place, signal));
  const close = <button onClick={() => go("actors", { ...words_now(), path: "" })}>Close</button>;
  return (
    <Panel title={path} tools={close} class="detail">
      <Shown of={polled}>
        {(actor) => (
          <>
            {polled.error && <p class="bad-text">{polled.error}</p>}
            <dl class="facts">
              <div><dt>kind</dt><dd>{actor.kind}</dd></div>
              <div><dt>mailbox</dt><dd>{count(actor.mailbox)}</dd></div>
              <div><dt>handled</dt><dd>{count(actor.handled) || "passive"}</dd></div>
              <div><dt>dropped</dt><dd>{count(actor.dropped)}</dd></div>
              <div><dt>loop</dt><dd>{actor.loop}</dd></div>
              <div><dt>alive for</dt><dd>{duration(actor.age_ms)}</dd></div>
            </dl>
            {actor.last_error && <p class="bad-text">last error: {actor.last_error}</p>}
            <State value={actor.state} />
          </>
        )}
      </Shown>
    </Panel>
  );
}

export function ActorsView() {
  const at = useStore(route);
  const prefix = at.words.get("prefix") ?? "";
  const path = at.words.get("path") ?? "";
  const [typed, type] = useState(prefix);
  const [order, set_order] = useState<"tree" | "busiest">("tree");
  const [turned, turn] = useState<ReadonlyMap<string, boolean>>(new Map());
  const pages = usePages(`${at.node} ${prefix}`);
  useEffect(() => type(prefix), [prefix]);
  useEffect(() => {
    if (typed === prefix) return;
    const timer = setTimeout(() => go("actors", { ...words_now(), prefix: typed }), 300);
    return () => clearTimeout(timer);
  }, [typed]);
  const query = new URLSearchParams({ limit: String(page_rows), prefix, after: pages.after });
  const place = at_node(at.node, `actors?${query}`);
  const polled = usePoll(place, async (signal) => ({
    ...(await ask_json<Omit<ActorsPage, "at">>(place, signal)),
    at: performance.now(),
  }));
  const rates = useRates(polled.data);
  const root = useMemo(
    () => build_tree(polled.data?.actors ?? [], rates),
    [polled.data, rates],
  );
  const open = (row: Row) => turned.get(row.path) ?? row.open_at_first;
  const toggle = (row: Row) => turn(new Map(turned).set(row.path, !open(row)));
  const rows = order === "tree" ? open_rows(root, open) : busiest(polled.data?.actors ?? [], rates);
  return (
    <div class={`grid ${path ? "two" : ""}`}>
      <Panel
        title="Actors"
        note={polled.data && `${count(polled.data.actors.length)}${polled.data.next || pages.page > 1 ? " on this page" : ""}`}
        tools={
          <>
            <Choice label="Order" of={["tree", "busiest"] as const} value={order} onValue={set_order} />
            <Search label="path begins with" value={typed} onValue={type} />
          </>
        }
      >
        <Shown of={polled}>
          {(data) => (
            <>
              {data.actors.length === 0 ? (
                <p class="empty">No actor's path begins so.</p>
              ) : (
                <Tree rows={rows} open={open} onToggle={toggle} chosen={path} />
              )}
              <Pager pages={pages} next={data.next} />
            </>
          )}
        </Shown>
      </Panel>
      {path && <Detail path={path} node={at.node} />}
    </div>
  );
}
