// SPDX-License-Identifier: Apache-2.0
import { useState } from "preact/hooks";
import { ask_json, at_node } from "../api";
import { bytes, count, duration } from "../format";
import { Pager, Panel, Search, Shown, Table, usePages, type Column } from "../parts";
import { usePoll } from "../poll";
import { address, route } from "../route";
import { useStore } from "../store";
import type { Session } from "../types";

const page_rows = 100;

const columns: Column<Session>[] = [
  {
    name: "session",
    // Subscribers at /msgbus/ have no actor.
    show: (s) =>
      s.protocol === "msgbus" ? s.id : <a href={address("actors", { path: `/sessions/${s.id}` })}>{s.id}</a>,
  },
  { name: "protocol", show: (s) => s.protocol },
  {
    name: "user",
    show: (s) => (s.uid === undefined ? "" : <>{s.uid}<span class="soft"> · {s.device}</span></>),
  },
  { name: "address", show: (s) => s.address },
  { name: "TLS", extra: true, show: (s) => (s.tls ? "yes" : "") },
  { name: "age", number: true, extra: true, show: (s) => duration(s.age_ms) },
  { name: "in", number: true, extra: true, show: (s) => bytes(s.bytes_in) },
  { name: "out", number: true, extra: true, show: (s) => bytes(s.bytes_out) },
  { name: "waiting", number: true, title: "bytes not yet taken by the client", show: (s) => bytes(s.output_waiting) },
  { name: "kept by", extra: true, show: (s) => (s.worker === undefined ? `loop ${s.loop}` : `worker ${s.worker}`) },
];

const fits = (s: Session, text: string) =>
  [s.id, s.protocol, s.uid, s.address].join(" ").toLowerCase().includes(text.toLowerCase());

export function SessionsView() {
  const { node } = useStore(route);
  const [text, search] = useState("");
  const pages = usePages(String(node));
  const place = at_node(node, `sessions?limit=${page_rows}${pages.after && `&after=${pages.after}`}`);
  const polled = usePoll(place, (signal) =>
    ask_json<{ sessions: Session[]; next: string | null }>(place, signal),
  );
  return (
    <Panel
      title="Sessions"
      note={polled.data && `${count(polled.data.sessions.length)}${polled.data.next || pages.page > 1 ? " on this page" : ""}`}
      tools={<Search label="find on this page" value={text} onValue={search} />}
    >
      <Shown of={polled}>
        {(data) => (
          <>
            <Table
              label="Sessions"
              columns={columns}
              rows={data.sessions.filter((s) => fits(s, text))}
              id={(s) => s.id}
              empty={text ? "None of this page." : "Nobody is connected here."}
            />
            <Pager pages={pages} next={data.next} />
          </>
        )}
      </Shown>
    </Panel>
  );
}
