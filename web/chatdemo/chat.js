// SPDX-License-Identifier: Apache-2.0
// The chat: a GET that never ends brings the lines, a POST says one. What comes
// from others gets into the page as text nodes only.
import { MultipartReader, boundary_of } from "./multipart.js";

const channel = new URL("msgbus/chatdemo", location.href);
const lines_max = 10;
const retry_ms_min = 1000;
const retry_ms_max = 30_000;

const at = (id) => document.getElementById(id);
const connection = at("connection");
const sending = at("sending");
const lines = at("lines");
const text = at("text");
const name = at("name");

at("curl").textContent =
  `curl -H 'Content-Type: text/plain' -d hello ${channel.href}`;

function show_connection(up) {
  connection.dataset.state = up ? "up" : "down";
  connection.textContent = up ? "Connected" : "Disconnected";
}

// Waiting, Typing, Sending, Sent
function show_sending(word) {
  sending.dataset.state = word.toLowerCase();
  sending.textContent = word;
}

const show_problem = (why) => (at("problem").textContent = why);

function piece(kind, content) {
  const made = document.createElement("span");
  made.className = kind;
  made.textContent = content; // a text node, whatever it is
  return made;
}

function show_line({ fields, body }) {
  const type = fields.get("content-type") ?? "";
  const readable = /^text\//i.test(type);
  const now = new Date().toTimeString().slice(0, 5);
  const what = piece(
    "what",
    readable ? new TextDecoder().decode(body) : `${type}, ${body.length} bytes`,
  );
  if (!readable) what.classList.add("foreign");
  const line = document.createElement("li");
  line.append(piece("when", now));
  if (fields.has("from")) line.append(piece("who", fields.get("from")));
  line.append(what);
  lines.append(line);
  while (lines.children.length > lines_max) lines.firstElementChild.remove();
  at("hint").hidden = true;
  line.scrollIntoView({ block: "end" });
}

/** Shows lines until the stream ends, which it does by itself only with its
 * connection. */
async function listen() {
  const answer = await fetch(channel, { cache: "no-store" });
  const boundary = boundary_of(answer.headers.get("content-type"));
  if (!answer.ok || boundary === null) {
    await answer.body?.cancel();
    throw new Error(`The channel answers ${answer.status}.`);
  }
  const parts = new MultipartReader(boundary);
  const stream = answer.body.getReader();
  try {
    for (;;) {
      const { done, value } = await stream.read();
      if (done) return;
      for (const part of parts.push(value)) show_line(part);
      if (connection.dataset.state !== "up") {
        show_connection(true);
        show_problem("");
      }
    }
  } finally {
    stream.cancel().catch(() => {});
  }
}

let wake = () => {}; // ends the pause before the next attempt

async function stay_connected() {
  let pause = retry_ms_min;
  for (;;) {
    try {
      await listen();
    } catch (why) {
      if (!(why instanceof TypeError)) show_problem(why.message); // no network
    }
    if (connection.dataset.state === "up") pause = retry_ms_min;
    show_connection(false);
    const jitter = pause * (0.5 + Math.random() / 2);
    await new Promise((resolve) => {
      wake = resolve;
      setTimeout(resolve, jitter);
    });
    pause = Math.min(2 * pause, retry_ms_max);
  }
}

/** HTTP Basic with the name and no password: the sender of what is said. */
function credentials() {
  const who = new TextEncoder().encode(name.value.trim());
  if (who.length === 0) return {};
  return { Authorization: `Basic ${btoa(String.fromCharCode(...who, 58))}` };
}

async function say() {
  const what = text.value;
  if (what.trim() === "" || sending.dataset.state === "sending") return;
  wake();
  show_sending("Sending");
  try {
    // No type is given: the browser says text/plain;charset=UTF-8.
    const answer = await fetch(channel, {
      method: "POST",
      body: what,
      headers: credentials(),
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`Refused: ${answer.status}.`);
    if (text.value === what) text.value = "";
    show_problem("");
    show_sending("Sent");
  } catch (why) {
    show_problem(`Not sent. ${why instanceof TypeError ? "" : why.message}`);
    show_sending("Waiting");
  }
}

text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  say();
});
text.addEventListener("input", () => {
  if (sending.dataset.state !== "sending")
    show_sending(text.value === "" ? "Waiting" : "Typing");
});
at("say").addEventListener("submit", (event) => {
  event.preventDefault();
  say();
  text.focus();
});
window.addEventListener("online", () => wake());
stay_connected();
