// SPDX-License-Identifier: Apache-2.0
const units = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(n: number | undefined): string {
  if (n === undefined) return "";
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) {
    n /= 1024;
    ++unit;
  }
  return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const count = (n: number | undefined) =>
  n === undefined ? "" : whole.format(n);

export function rate(n: number | undefined): string {
  if (n === undefined || Number.isNaN(n)) return "";
  return n > 0 && n < 10 ? n.toFixed(1) : whole.format(n);
}

export function duration(ms: number | undefined): string {
  if (ms === undefined) return "";
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.floor(s)} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return `${m} min ${Math.floor(s % 60)} s`;
  const h = Math.floor(m / 60);
  if (h < 48) return `${h} h ${m % 60} min`;
  return `${Math.floor(h / 24)} d ${h % 24} h`;
}

export const micros = (us: number) =>
  us < 1000 ? `${us} µs` : `${(us / 1000).toFixed(us < 10_000 ? 1 : 0)} ms`;

export const date = (ms: number | null | undefined) =>
  ms == null ? "" : new Date(ms).toISOString().slice(0, 19).replace("T", " ");
