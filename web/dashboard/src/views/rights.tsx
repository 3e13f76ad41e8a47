// SPDX-License-Identifier: Apache-2.0
// Accounts, roles, tokens and bans, to look at; changes are the command's.
import { ask_json } from "../api";
import { count, date } from "../format";
import { Choice, Pager, Panel, Shown, Table, usePages, type Column } from "../parts";
import { usePoll } from "../poll";
import { go, route } from "../route";
import { useStore } from "../store";

const page_rows = 100;

interface Row {
  [key: string]: unknown;
}

const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);

const Grants = ({ of }: { of: unknown }) => (
  <>{texts(of).map((grant) => <code key={grant} class="grant">{grant}</code>)}</>
);

const text = (name: string, key = name): Column<Row> => ({ name, show: (r) => String(r[key] ?? "") });
const time = (name: string, key: string): Column<Row> => ({ name, extra: true, show: (r) => date(r[key] as number) });
const grants: Column<Row> = { name: "grants", show: (r) => <Grants of={r["grants"]} /> };
const roles: Column<Row> = { name: "roles", show: (r) => texts(r["roles"]).join(", ") };

const ban: Column<Row>[] = [text("name"), time("since", "since_ms"), { name: "until", show: (r) => date(r["until_ms"] as number) || "for good" }, text("reason")];

const kinds: Record<string, { path: string; key: string; id: string; columns: Column<Row>[] }> = {
  accounts: {
    path: "rights/accounts",
    key: "accounts",
    id: "uid",
    columns: [
      text("user", "uid"),
      { name: "password", show: (r) => (r["password"] ? "yes" : "no") },
      roles,
      grants,
      { name: "tokens", number: true, extra: true, show: (r) => count(texts(r["tokens"]).length) },
    ],
  },
  roles: { path: "rights/roles", key: "roles", id: "role", columns: [text("role"), grants] },
  tokens: {
    path: "rights/tokens",
    key: "tokens",
    id: "id",
    columns: [text("user", "uid"), text("label"), text("id"), time("made", "created_ms"), { name: "ends", show: (r) => date(r["expires_ms"] as number) || "never" }, roles, grants],
  },
  "banned users": { path: "rights/bans/users", key: "bans", id: "name", columns: ban },
  "banned addresses": { path: "rights/bans/addresses", key: "bans", id: "name", columns: ban },
};
const names = Object.keys(kinds);

export function RightsView() {
  const at = useStore(route);
  const wanted = at.words.get("of") ?? "";
  const of = names.includes(wanted) ? wanted : "accounts";
  const kind = kinds[of]!;
  const pages = usePages(of);
  const query = new URLSearchParams({ limit: String(page_rows), after: pages.after });
  const place = `${kind.path}?${query}`;
  const polled = usePoll(place, (signal) => ask_json<Record<string, unknown>>(place, signal), 5000);
  return (
    <Panel
      title="Rights"
      tools={<Choice label="What" of={names} value={of} onValue={(value) => go("rights", { of: value })} />}
    >
      <Shown of={polled}>
        {(data) => (
          <>
            <Table
              label={of}
              columns={kind.columns}
              rows={(data[kind.key] as Row[]) ?? []}
              id={(r) => String(r[kind.id])}
              empty={`No ${of}.`}
            />
            <Pager pages={pages} next={data["next"] as string | null} />
          </>
        )}
      </Shown>
    </Panel>
  );
}
