// SPDX-License-Identifier: Apache-2.0
// The dashboard on a cluster of three nodes, the last of which is killed, and
// what pages and names from elsewhere can do to its listener.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, afterEach, test } from "node:test";
import { Browser, assert_fits, given, picture, until } from "./browser.mjs";
import { assert_readable } from "./readable.mjs";

const { admins, doors, pids } = JSON.parse(given("TROUPE_TEST_CLUSTER"));
const names = ["anna", "bert", "carl"];
const pointed = "pointed-here.example";
const evil = `<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>`;
const browser = await Browser.start([pointed]);
const pages = [];
const listeners = new AbortController();

async function dashboard(view, options = {}) {
  const page = await browser.open(`${admins[0]}/#/${view}`, options);
  pages.push(page);
  return page;
}

const path_of = (channel) => channel.split("/").map(encodeURIComponent).join("/");

/** A subscriber at /msgbus/, there when this is answered; what it hears. */
async function listener(channel, door, user) {
  const answer = await fetch(`${door}/msgbus/${path_of(channel)}`, {
    signal: listeners.signal,
    headers: user ? { Authorization: `Basic ${btoa(`${user}:`)}` } : {},
  });
  assert.equal(answer.status, 200);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  const heard = { text: (await reader.read()).value };
  (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard.text += value;
    }
  })().catch(() => {});
  return heard;
}

const say = (door, channel, what, type = "text/plain", user = "anna") =>
  fetch(`${door}/msgbus/${path_of(channel)}`, {
    method: "POST",
    body: what,
    headers: { "Content-Type": type, Authorization: `Basic ${btoa(`${user}:`)}` },
  });

const asked = async (admin, path) => (await fetch(`${admin}/${path}`)).json();

async function listen_to(page, filter) {
  await page.locator("[aria-label='filter of the tail']").fill(filter);
  await page.getByRole("button", { name: "Listen", exact: true }).click();
  await page.locator(".tail .pill", { hasText: "live" }).waitFor();
}

/** Waits until a node wants what another subscribed to. */
const wanted = (admin, filter) =>
  until(
    async () =>
      (await asked(admin, "interest?limit=1000")).filters.some(
        (f) => f.filter === filter && f.nodes.length > 0,
      ),
    `${filter} is not known at ${admin}`,
  );

afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.context().close()));
  browser.check();
});
after(async () => {
  listeners.abort();
  await browser.close();
});

test("the map shows three nodes and their three links", async () => {
  const page = await dashboard("cluster");
  await page.locator(".map .link.good").nth(2).waitFor();
  assert.deepEqual(
    (await page.locator(".map .disc .name").allTextContents()).sort(),
    names,
  );
  assert.equal(await page.locator(".map .disc.good").count(), 3);
  const states = page.locator("[aria-label='Nodes'] tbody .pill");
  assert.deepEqual(await states.allTextContents(), ["member", "member", "member"]);
  await until(
    async () => (await page.locator(".figures strong").allTextContents()).every((t) => t !== "–"),
    "a figure is missing",
  );
  await picture(page, "three-cluster-1280-light");
});

test("the shards are led by whom their leaders name", async () => {
  const leaders = new Map();
  for (const admin of admins) {
    const { self } = await asked(admin, "nodes");
    for (const group of (await asked(admin, "shards")).shards)
      if (group.leader === self) leaders.set(group.group, names[admins.indexOf(admin)]);
  }
  assert.equal(leaders.size, 5, "four shards and the directory");
  const page = await dashboard("shards");
  await until(async () => (await page.locator("td.seat.leads").count()) === 5, "leaders");
  await until(async () => (await page.locator("td.seat.votes").count()) === 10, "voters");
  const columns = await page.locator(".matrix thead .seat").allTextContents();
  const rows = page.locator(".matrix tbody tr");
  for (let i = 0; i < 5; ++i) {
    const name = (await rows.nth(i).locator("th").textContent()).trim();
    const seats = await rows.nth(i).locator("td.seat").allTextContents();
    const leader = leaders.get(name === "directory" ? 0 : Number(name));
    assert.equal(columns[seats.indexOf("leads")].trim(), leader, name);
  }
  await picture(page, "three-shards-1280-light");
});

test("the tail shows what is published at another node", async () => {
  const page = await dashboard("channels");
  await listen_to(page, "from/bert");
  await wanted(admins[1], "from/bert");
  for (let i = 0; i < 5; ++i) await say(doors[1], "from/bert", `said at bert ${i}`);
  const published = await fetch(`${admins[2]}/topics/publish`, {
    method: "POST",
    body: JSON.stringify({ topic: "from/bert", data: "said at carl" }),
  });
  assert.equal(published.status, 200);
  await page.locator(".said pre", { hasText: "said at bert 4" }).waitFor();
  await page.locator(".said li", { hasText: "said at carl" }).waitFor();
  const bert = page.locator(".said li", { hasText: "said at bert" });
  assert.equal(await bert.count(), 5);
  assert.match(await bert.first().textContent(), /from anna.*at bert/);
});

test("what the box publishes is heard at the other nodes", async () => {
  const heard = await Promise.all(doors.map((door) => listener("out", door)));
  for (const admin of admins) await wanted(admin, "out");
  const page = await dashboard("channels");
  await page.locator("#topic").fill("out");
  await page.locator("#data").fill("out of the box");
  await page.getByRole("button", { name: "Publish" }).click();
  await page.locator(".publish [role=status]", { hasText: "2 other nodes" }).waitFor();
  await until(
    () => heard.every(({ text }) => text.includes("out of the box")),
    "somebody has not heard it",
  );
});

test("channels of a node and of all, and who is in one", async () => {
  for (const [i, door] of doors.entries()) await listener("hall", door, names[i]);
  await listener("hall", doors[0], "anna");
  await listener("hallway", doors[2]);
  for (const admin of admins) await wanted(admin, "hall");
  for (let i = 0; i < 3; ++i) await say(doors[1], "hall", `in the hall ${i}`);
  const page = await dashboard("channels");
  const panel = page.locator("section[aria-label=Channels]");
  const row = panel.locator("tbody tr", { has: page.getByText("hall", { exact: true }) });
  const cell = (number) => row.locator("td").nth(number);
  await cell(2).getByText("2", { exact: true }).waitFor();
  await cell(6).getByText("6", { exact: true }).waitFor(); // delivered
  await panel.getByRole("button", { name: "cluster" }).click();
  await cell(2).getByText("4", { exact: true }).waitFor();
  await cell(8).getByText("anna 2, bert 1, carl 1", { exact: true }).waitFor();
  await cell(5).getByText("3", { exact: true }).waitFor(); // published
  await panel.locator("tbody tr", { hasText: "hallway" }).waitFor();
  await panel.locator(".search").fill("hallw");
  await row.waitFor({ state: "detached" });
  await panel.locator(".search").fill("");
  await row.locator("button.link").click();
  const chosen = page.getByLabel("The channel at this node");
  await chosen.getByText("anna (2)", { exact: true }).waitFor();
  await say(doors[2], "hall", "while one looks");
  await page.locator(".said pre", { hasText: "while one looks" }).waitFor();
  await assert_readable(page, "channels");
  await picture(page, "three-channels-1280-light");
});

test("sessions of each node", async () => {
  const page = await dashboard("sessions");
  await page.locator("tbody tr").first().waitFor();
  const here = (await asked(admins[0], "sessions?limit=100")).sessions;
  assert.ok(here.length > 0);
  await page.locator("td", { hasText: here[0].address }).first().waitFor();
  await page.locator(".node-choice select").selectOption({ label: "carl" });
  const there = (await asked(admins[2], "sessions?limit=100")).sessions;
  await page.locator("td", { hasText: there[0].address }).first().waitFor();
});

test("lengths of mailboxes are those that the node tells, and move", async () => {
  let length = 7;
  const page = await dashboard("sessions");
  await page.route(/\/actors\?/, async (route) => {
    const answer = await route.fetch();
    const page_of = await answer.json();
    page_of.actors.find((a) => a.path === "/shards/2").mailbox = length;
    await route.fulfill({ response: answer, json: page_of });
  });
  await page.locator("tbody tr").first().waitFor(); // or nobody hears the key
  await page.keyboard.press("3");
  const box = (path) => page.locator(`tr[data-path="${path}"] .mailbox`);
  await box("/shards/2").getByText("7", { exact: true }).waitFor();
  length = 2345;
  await box("/shards/2").getByText("2,345", { exact: true }).waitFor();
  assert.match(await box("/shards/2").getAttribute("class"), /bad/);
  // A branch sums up what is below it.
  await until(
    async () => Number((await box("/shards").textContent()).replace(",", "")) >= 2345,
    "the sum",
  );
  await assert_readable(page, "actors");
  await picture(page, "three-actors-1280-light");
});

test("what others name and say is text in every view", async () => {
  // At /msgbus/ names stay percent-encoded; these come by another way.
  const topic = `<b>${evil}`;
  await fetch(`${admins[0]}/topics/tail?filter=${encodeURIComponent(topic)}`, {
    headers: { Accept: "text/event-stream" },
    signal: listeners.signal,
  });
  const page = await dashboard("channels");
  await page.locator(".tail .pill", { hasText: "live" }).waitFor();
  await page.locator("td", { hasText: "<img" }).first().waitFor();
  await say(doors[0], "evil", evil, "text/html", evil);
  await page.locator(".said li pre", { hasText: "<img" }).first().waitFor();
  await page.locator(".said li p", { hasText: "from <img" }).first().waitFor();
  await fetch(`${admins[0]}/topics/publish`, {
    method: "POST",
    body: JSON.stringify({ topic, data: evil, content_type: evil }),
  });
  await page.locator(".said li p b", { hasText: "<img" }).first().waitFor();
  await picture(page, "three-evil-1280-light");
  await page.locator("td button.link", { hasText: "<img" }).first().click();
  for (const view of ["channels", "sessions", "actors", "rights", "metrics", "cluster"]) {
    await page.goto(`${admins[0]}/#/${view}?prefix=${encodeURIComponent(evil)}&of=${encodeURIComponent(evil)}`);
    await page.locator("main .panel").first().waitFor();
    await page.getByText("Asking…").first().waitFor({ state: "detached" });
    assert.equal(await page.locator("main img, main script").count(), 0, view);
    assert.equal(await page.evaluate(() => window.hurt), undefined, view);
  }
});

test("a page from elsewhere changes nothing and reads nothing", async (t) => {
  const server = createServer((_, answer) => {
    answer.setHeader("Content-Type", "text/html");
    answer.end("<!doctype html><title>elsewhere</title>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const heard = await listener("stolen", doors[0]);
  const page = await browser.open(`http://127.0.0.1:${server.address().port}/`, {
    foreign: true,
    forgive: /./,
  });
  pages.push(page);
  const done = await page.evaluate(async (admin) => {
    const results = [];
    const body = JSON.stringify({ topic: "stolen", data: "by a page" });
    await fetch(`${admin}/topics/publish`, { method: "POST", mode: "no-cors", body });
    for (const mode of ["cors", "same-origin"])
      try {
        await fetch(`${admin}/topics/publish`, { method: "POST", mode, body });
        results.push(mode);
      } catch {}
    try {
      results.push(await (await fetch(`${admin}/nodes`)).text());
    } catch {}
    const form = document.createElement("form");
    form.method = "post";
    form.action = `${admin}/topics/publish`;
    form.enctype = "text/plain";
    const field = document.createElement("input");
    field.name = body.slice(0, -1) + `,"x":"`;
    field.value = `"}`;
    form.append(field);
    form.target = "_blank";
    document.body.append(form);
    form.submit();
    return results;
  }, admins[0]);
  assert.deepEqual(done, []);
  // No frame around its buttons.
  const frame = await page.evaluate(async (admin) => {
    const frame = document.createElement("iframe");
    frame.src = `${admin}/`;
    const loaded = new Promise((resolve) => (frame.onload = resolve));
    document.body.append(frame);
    await loaded;
    return frame.contentDocument === null;
  }, admins[0]);
  assert.ok(frame, "the frame is of the page's own origin");
  for (const each of page.frames())
    assert.equal(await each.locator("#page").count(), 0, "it shows in a frame");
  // What comes last is heard, and nothing before it.
  await say(doors[0], "stolen", "the end");
  await until(() => heard.text.includes("the end"), "nobody hears");
  assert.ok(!heard.text.includes("by a page"), heard.text);
});

test("a name that was pointed here shows nothing", async () => {
  const page = await browser.open(
    `http://${pointed}:${new URL(admins[0]).port}/nodes`,
    { forgive: /403/ },
  );
  pages.push(page);
  assert.match(await page.locator("body").textContent(), /other origins/);
});

test("a node that is killed is shown as lost, and its groups go on", async () => {
  const cluster = await dashboard("cluster", { forgive: /50[0-9]|net::ERR_/ });
  await cluster.locator(".map .link.good").nth(2).waitFor();
  const shards = await dashboard("shards", { forgive: /50[0-9]|net::ERR_/, width: 390, height: 844, dark: true });
  await until(async () => (await shards.locator("td.seat.votes").count()) === 10, "voters");
  process.kill(pids[2], "SIGKILL");
  const lost = cluster.locator(".map .disc.bad");
  await lost.waitFor();
  assert.equal(await lost.locator(".name").textContent(), "carl");
  await until(async () => (await cluster.locator(".map .link.good").count()) === 1, "links");
  await cluster
    .locator("[aria-label='Nodes'] tbody tr", { hasText: "carl" })
    .locator(".pill.bad")
    .waitFor();
  await picture(cluster, "three-lost-1280-light");
  // Who is left leads everything.
  await until(async () => {
    const leads = await shards.locator("td.seat.leads").count();
    const pills = await shards.locator(".matrix .pill").allTextContents();
    return leads === 5 && !pills.some((t) => t.includes("no leader"));
  }, "groups without a leader");
  const columns = (await shards.locator(".matrix thead .seat").allTextContents()).map((t) => t.trim());
  for (const row of await shards.locator(".matrix tbody tr").all()) {
    // Another may lead meanwhile than a moment ago.
    await until(async () => {
      const seats = await row.locator("td.seat").allTextContents();
      return columns[seats.indexOf("leads")] !== "carl";
    }, "a group that the lost node leads");
  }
  await shards.locator(".matrix thead .seat.bad", { hasText: "carl" }).waitFor();
  await assert_fits(shards);
  await assert_readable(shards, "shards");
  await picture(shards, "three-lost-shards-390-dark");
  await assert_readable(cluster, "cluster");
  // The dashboard goes on to work: the tail, the box.
  await cluster.keyboard.press("5");
  await listen_to(cluster, "after");
  await cluster.locator("#topic").fill("after");
  await cluster.locator("#data").fill("still here");
  await cluster.getByRole("button", { name: "Publish" }).click();
  await cluster.locator(".said pre", { hasText: "still here" }).waitFor();
});
