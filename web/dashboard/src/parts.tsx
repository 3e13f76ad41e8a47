// SPDX-License-Identifier: Apache-2.0
// What several views are made of.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Polled } from "./poll";

export function Panel(props: {
  title: string;
  note?: ComponentChildren;
  tools?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  return (
    <section class={`panel ${props.class ?? ""}`} aria-label={props.title}>
      <header>
        <h2>{props.title}</h2>
        {props.note !== undefined && <span class="soft">{props.note}</span>}
        <span class="spring" />
        {props.tools}
      </header>
      {props.children}
    </section>
  );
}

export type Tone = "good" | "warn" | "bad" | "plain";

/** A state: its tone is also in its shape, for who sees no colours. */
export const Pill = (props: { tone: Tone; children: ComponentChildren }) => (
  <span class={`pill ${props.tone}`}>{props.children}</span>
);

export interface Column<Row> {
  name: string;
  /** Numbers go to the right. */
  number?: boolean;
  /** Left out in a narrow window. */
  extra?: boolean;
  title?: string;
  show: (row: Row) => ComponentChildren;
}

export function Table<Row>(props: {
  label: string;
  columns: Column<Row>[];
  rows: Row[];
  id: (row: Row) => string | number;
  empty: string;
  chosen?: string | number;
}) {
  const style = (c: Column<Row>) =>
    `${c.number ? "number" : ""} ${c.extra ? "extra" : ""}`;
  if (props.rows.length === 0) return <p class="empty">{props.empty}</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={props.label}>
      <table>
        <thead>
          <tr>
            {props.columns.map((c) => (
              <th key={c.name} scope="col" class={style(c)} title={c.title}>
                {c.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr
              key={props.id(row)}
              class={props.id(row) === props.chosen ? "chosen" : ""}
            >
              {props.columns.map((c) => (
                <td key={c.name} class={style(c)}>
                  {c.show(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Why there is nothing to see (yet), or the content. */
export function Shown<T>(props: {
  of: Polled<T>;
  children: (data: T) => ComponentChildren;
}) {
  const { data, error } = props.of;
  if (data !== undefined) return <>{props.children(data)}</>;
  return error ? (
    <p class="empty bad-text" role="alert">
      {error}
    </p>
  ) : (
    <p class="empty">Asking…</p>
  );
}

/** The field that '/' goes to. */
export const Search = (props: {
  label: string;
  value: string;
  onValue: (text: string) => void;
}) => (
  <input
    class="search"
    type="search"
    aria-label={props.label}
    placeholder={props.label}
    value={props.value}
    onInput={(e) => props.onValue(e.currentTarget.value)}
    spellcheck={false}
  />
);

/** Places in a long list: where each page that was seen begins. Begins anew
 * when `of` changes. */
export function usePages(of: string) {
  const [state, set] = useState({ of, marks: [""] });
  const marks = state.of === of ? state.marks : [""];
  return {
    after: marks[marks.length - 1]!,
    page: marks.length,
    forward: (next: string) => set({ of, marks: [...marks, next] }),
    back: () => set({ of, marks: marks.slice(0, -1) }),
  };
}

export function Pager(props: {
  pages: ReturnType<typeof usePages>;
  next: string | null | undefined;
}) {
  const { pages, next } = props;
  if (pages.page === 1 && !next) return null;
  return (
    <nav class="pager" aria-label="Pages">
      <button disabled={pages.page === 1} onClick={pages.back}>
        ← Back
      </button>
      <span>page {pages.page}</span>
      <button disabled={!next} onClick={() => next && pages.forward(next)}>
        More →
      </button>
    </nav>
  );
}

/** One choice of several. */
export function Choice<T extends string>(props: {
  label: string;
  of: readonly T[];
  value: T;
  onValue: (value: T) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={props.label}>
      {props.of.map((each) => (
        <button
          key={each}
          aria-pressed={each === props.value}
          onClick={() => props.onValue(each)}
        >
          {each}
        </button>
      ))}
    </div>
  );
}

/** The last minutes of a number. */
export function Sparkline(props: { values: (number | undefined)[] }) {
  const known = props.values.filter((v) => v !== undefined);
  const most = Math.max(1, ...known);
  const step = 100 / Math.max(1, props.values.length - 1);
  const points = props.values
    .map((v, i) =>
      v === undefined
        ? ""
        : `${(i * step).toFixed(1)},${(19 - (18 * v) / most).toFixed(1)}`,
    )
    .join(" ");
  return (
    <svg class="spark" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points} />
    </svg>
  );
}
