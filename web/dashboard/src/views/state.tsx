// SPDX-License-Identifier: Apache-2.0
// Any JSON as an indented list.
const items_max = 100;

const scalar = (value: unknown) => value === null || typeof value !== "object";

function text_of(value: unknown): string {
  if (value === null) return "–";
  return typeof value === "number" && Number.isInteger(value) ? String(value) : typeof value === "string" ? value : JSON.stringify(value);
}

export function State({ value }: { value: unknown }) {
  if (scalar(value)) return <span class={`value ${typeof value}`}>{text_of(value)}</span>;
  const list = Array.isArray(value);
  if (list && value.every(scalar) && value.length <= items_max)
    return <span class="value">{value.length ? value.map(text_of).join(", ") : "none"}</span>;
  const entries = Object.entries(value as object);
  if (entries.length === 0) return <span class="value">none</span>;
  return (
    <dl class="state">
      {entries.slice(0, items_max).map(([key, each]) => (
        <div key={key}>
          <dt>{list ? Number(key) + 1 : key}</dt>
          <dd><State value={each} /></dd>
        </div>
      ))}
      {entries.length > items_max && (
        <div><dt>…</dt><dd class="soft">{entries.length - items_max} more</dd></div>
      )}
    </dl>
  );
}
