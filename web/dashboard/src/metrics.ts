// SPDX-License-Identifier: Apache-2.0
// The text of /metrics, and how fast its counters move.

export interface Sample {
  name: string;
  labels: string;
  value: number;
}

export interface Scrape {
  at: number; // ms
  samples: Map<string, Sample>; // by name and labels
  kinds: Map<string, string>;
  help: Map<string, string>;
}

const form = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;

export function parse_metrics(text: string, at: number): Scrape {
  const scrape: Scrape = {
    at,
    samples: new Map(),
    kinds: new Map(),
    help: new Map(),
  };
  for (const line of text.split("\n")) {
    if (line.startsWith("# TYPE ")) {
      const [name, kind] = line.slice(7).split(" ", 2);
      scrape.kinds.set(name!, kind!);
    } else if (line.startsWith("# HELP ")) {
      const space = line.indexOf(" ", 7);
      scrape.help.set(line.slice(7, space), line.slice(space + 1));
    } else {
      const found = form.exec(line);
      if (!found) continue;
      const [, name, labels = "", value] = found;
      scrape.samples.set(labels ? `${name}{${labels}}` : name!, {
        name: name!,
        labels,
        value: Number(value),
      });
    }
  }
  return scrape;
}

/** Sum over all labels; undefined if there is none of that name. */
export function total(scrape: Scrape | undefined, name: string) {
  let sum: number | undefined;
  for (const each of scrape?.samples.values() ?? [])
    if (each.name === name) sum = (sum ?? 0) + each.value;
  return sum;
}

/** A second, between two scrapes; undefined if a counter began anew. */
export function per_second(
  before: number | undefined,
  after: number | undefined,
  ms: number,
) {
  if (before === undefined || after === undefined || ms <= 0) return undefined;
  return after < before ? undefined : ((after - before) * 1000) / ms;
}
