// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from "preact/hooks";
import { ask_json, token, token_wanted, use_token, words_of } from "./api";
import { Pill } from "./parts";
import { paused, trouble, usePoll } from "./poll";
import { address, go, route, views, type View } from "./route";
import { Store, useStore } from "./store";
import type { Nodes, Ready } from "./types";
import { ActorsView } from "./views/actors";
import { ChannelsView } from "./views/channels";
import { ClusterView } from "./views/cluster";
import { MetricsView } from "./views/metrics";
import { RightsView } from "./views/rights";
import { SessionsView } from "./views/sessions";
import { ShardsView } from "./views/shards";

const themes = ["system", "light", "dark"] as const;
const theme_key = "troupe.theme";
const theme = new Store(
  themes.find((t) => t === localStorage.getItem(theme_key)) ?? "system",
);

function apply_theme() {
  document.documentElement.dataset["theme"] = theme.value;
  localStorage.setItem(theme_key, theme.value);
}
theme.listen(apply_theme);
apply_theme();

const next_theme = () =>
  theme.set(themes[(themes.indexOf(theme.value) + 1) % themes.length]!);

const helping = new Store(false);

function typing(target: EventTarget | null) {
  return target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function on_key(event: KeyboardEvent) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && typing(event.target))
    return (event.target as HTMLElement).blur();
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const view = views[Number(event.key) - 1];
  if (view) return go(view);
  if (event.key === "p") return paused.set(!paused.value);
  if (event.key === "t") return next_theme();
  if (event.key === "?") return helping.set(true);
  if (event.key === "/") {
    const search = document.querySelector<HTMLInputElement>(".search");
    search?.focus();
    search?.select();
    event.preventDefault();
  }
}

/** A dialog that is open as long as it is there. */
function Dialog(props: { label: string; onClose: () => void; children: preact.ComponentChildren }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} aria-label={props.label} onClose={props.onClose}>
      {props.children}
    </dialog>
  );
}

function TokenDialog() {
  const [text, set_text] = useState("");
  const [why, set_why] = useState(token.value ? "The token is not the right one." : "");
  const submit = async (event: Event) => {
    event.preventDefault();
    const before = token.value;
    use_token(text.trim());
    try {
      await ask_json("nodes");
    } catch (error) {
      if (token_wanted.value) {
        use_token(before);
        token_wanted.set(true);
        set_why("The token is not the right one.");
      } else {
        set_why(words_of(error));
      }
    }
  };
  return (
    <Dialog label="Token" onClose={() => token_wanted.set(false)}>
      <form onSubmit={submit}>
        <h2>The admin token, please</h2>
        <p class="soft">
          The value of <code>admin.token</code>. Nothing keeps it: this page
          forgets it when it is loaded again.
        </p>
        <input
          id="token"
          type="password"
          aria-label="Token"
          autocomplete="off"
          value={text}
          onInput={(e) => set_text(e.currentTarget.value)}
          autofocus
        />
        <p class="bad-text" role="alert">{why}</p>
        <button class="main" type="submit" disabled={text.trim() === ""}>
          Go on
        </button>
      </form>
    </Dialog>
  );
}

const Help = () => (
  <Dialog label="Keys" onClose={() => helping.set(false)}>
    <h2>Keys</h2>
    <dl class="keys">
      {views.map((view, i) => (
        <div key={view}>
          <dt><kbd>{i + 1}</kbd></dt>
          <dd>{view}</dd>
        </div>
      ))}
      <div><dt><kbd>/</kbd></dt><dd>search</dd></div>
      <div><dt><kbd>p</kbd></dt><dd>stand still, go on</dd></div>
      <div><dt><kbd>t</kbd></dt><dd>system, light, dark</dd></div>
      <div><dt><kbd>↑</kbd> <kbd>↓</kbd></dt><dd>move in the tree</dd></div>
      <div><dt><kbd>←</kbd> <kbd>→</kbd></dt><dd>close, open a branch</dd></div>
      <div><dt><kbd>Esc</kbd></dt><dd>leave a field, this box</dd></div>
    </dl>
    <form method="dialog"><button class="main" autofocus>Close</button></form>
  </Dialog>
);

function Readiness(props: { ready?: Ready }) {
  if (!props.ready) return null;
  const { ready, reasons } = props.ready;
  return (
    <Pill tone={ready ? "good" : "warn"}>
      {ready ? "ready" : (reasons[0] ?? "not ready")}
    </Pill>
  );
}

/** /readyz says 503 and why: an answer, too. */
async function ask_ready(signal: AbortSignal): Promise<Ready> {
  const answer = await fetch("readyz", { cache: "no-store", signal });
  return answer.json();
}

const shown: Record<View, (props: { nodes: Nodes }) => preact.ComponentChildren> = {
  cluster: ClusterView,
  shards: ShardsView,
  actors: ActorsView,
  sessions: SessionsView,
  channels: ChannelsView,
  rights: RightsView,
  metrics: MetricsView,
};

export function App() {
  const at = useStore(route);
  const still = useStore(paused);
  const why = useStore(trouble);
  const wanted = useStore(token_wanted);
  const help = useStore(helping);
  const look = useStore(theme);
  const secret = useStore(token);
  const nodes = usePoll("nodes", (signal) => ask_json<Nodes>("nodes", signal), 3000);
  const ready = usePoll("readyz", ask_ready, 5000);
  useEffect(() => {
    document.addEventListener("keydown", on_key);
    return () => document.removeEventListener("keydown", on_key);
  }, []);
  useEffect(() => {
    const self = nodes.data?.nodes.find((n) => n.id === nodes.data?.self);
    document.title = `${at.view} · ${self?.name || "Troupe"}`;
  }, [at.view, nodes.data]);
  useEffect(() => {
    const link = document.querySelector("nav.views a[aria-current]");
    link?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [at.view]);
  const View = shown[at.view];
  const choose = (node: string) => {
    const words = Object.fromEntries(at.words);
    go(at.view, { ...words, after: "", node });
  };
  return (
    <>
      <header class="top">
        <a class="logo" href={address("cluster", { node: "0" })}>Troupe</a>
        <Readiness ready={ready.data} />
        <span class="spring" />
        {nodes.data && nodes.data.nodes.length > 1 && (
          <label class="node-choice">
            <span>Seen from</span>
            <select value={at.node} onChange={(e) => choose(e.currentTarget.value)}>
              <option value="0">this node</option>
              {nodes.data.nodes
                .filter((n) => n.id !== nodes.data!.self && n.state !== "removed")
                .map((n) => (
                  <option key={n.id} value={n.id}>{n.name || `node ${n.id}`}</option>
                ))}
            </select>
          </label>
        )}
        <button aria-pressed={still} onClick={() => paused.set(!still)} title="p">
          {still ? "Go on" : "Pause"}
        </button>
        <button onClick={next_theme} title="t" aria-label={`Theme: ${look}`}>
          {look === "system" ? "◐" : look === "light" ? "☀" : "☾"}
        </button>
        {secret && (
          <button onClick={() => { use_token(""); token_wanted.set(true); }}>
            Forget token
          </button>
        )}
        <button onClick={() => helping.set(true)} title="?" aria-label="Keys">?</button>
      </header>
      <nav class="views" aria-label="Views">
        {views.map((view) => (
          <a
            key={view}
            href={address(view)}
            aria-current={view === at.view ? "page" : undefined}
          >
            {view}
          </a>
        ))}
      </nav>
      <p class="trouble" role="status" hidden={!why && !still}>
        {why ? `${why}; what is shown may be old. Trying again.` : "Nothing moves until you go on."}
      </p>
      <main>
        {nodes.data ? (
          <View nodes={nodes.data} />
        ) : (
          <p class="empty">{nodes.error ? `No view yet: ${nodes.error}.` : "Asking…"}</p>
        )}
      </main>
      {wanted && <TokenDialog />}
      {help && <Help />}
    </>
  );
}
