// SPDX-License-Identifier: Apache-2.0
// Every sample of /metrics, and how fast the counters move.
import { useMemo, useRef, useState } from "preact/hooks";
import { ask_text, at_node } from "../api";
import { count, rate } from "../format";
import { parse_metrics, per_second, type Sample, type Scrape } from "../metrics";
import { Choice, Panel, Search, Shown, Table, type Column } from "../parts";
import { usePoll } from "../poll";
import { route } from "../route";
import { useStore } from "../store";

const rows_max = 300;

function number(value: number): string {
  return Number.isInteger(value) ? count(value) : String(value);
}

/** With places to break the line after each '_'. */
const breakable = (name: string) =>
  name.split("_").map((word, i) => (i === 0 ? word : <>_<wbr />{word}</>));

export function MetricsView() {
  const { node } = useStore(route);
  const [text, search] = useState("");
  const [which, choose] = useState<"all" | "not 0" | "moving">("not 0");
  const place = at_node(node, "metrics");
  const polled = usePoll(place, async (signal) =>
    parse_metrics(await ask_text(place, signal), performance.now()),
  );
  const before = useRef<{ place: string; scrape: Scrape } | undefined>(undefined);
  const rates = useMemo(() => {
    const found = new Map<string, number>();
    const now = polled.data;
    if (!now) return found;
    const old = before.current?.place === place ? before.current.scrape : undefined;
    before.current = { place, scrape: now };
    if (!old || old === now) return found;
    for (const [key, sample] of now.samples) {
      if (now.kinds.get(sample.name) !== "counter") continue;
      const value = per_second(old.samples.get(key)?.value, sample.value, now.at - old.at);
      if (value !== undefined) found.set(key, value);
    }
    return found;
  }, [polled.data]);
  const columns = (scrape: Scrape): Column<[string, Sample]>[] => [
    {
      name: "name",
      show: ([, s]) => (
        <>
          <span title={scrape.help.get(s.name)}>{breakable(s.name)}</span>{" "}
          <span class="soft">{s.labels}</span>
        </>
      ),
    },
    { name: "value", number: true, show: ([, s]) => number(s.value) },
    { name: "/s", number: true, show: ([key]) => rate(rates.get(key)) },
  ];
  const fits = ([key, s]: [string, Sample]) =>
    key.includes(text) &&
    !s.name.endsWith("_bucket") &&
    (which === "all" || (which === "not 0" ? s.value !== 0 : (rates.get(key) ?? 0) > 0));
  return (
    <Panel
      title="Metrics"
      note="without the buckets of histograms"
      tools={
        <>
          <Choice label="Which" of={["all", "not 0", "moving"] as const} value={which} onValue={choose} />
          <Search label="name or label" value={text} onValue={search} />
        </>
      }
    >
      <Shown of={polled}>
        {(scrape) => {
          const rows = [...scrape.samples].filter(fits);
          return (
            <>
              <Table
                label="Metrics"
                columns={columns(scrape)}
                rows={rows.slice(0, rows_max)}
                id={([key]) => key}
                empty="None."
              />
              {rows.length > rows_max && (
                <p class="soft">{rows.length - rows_max} more; say more of the name.</p>
              )}
            </>
          );
        }}
      </Shown>
    </Panel>
  );
}
