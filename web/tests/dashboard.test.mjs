// SPDX-License-Identifier: Apache-2.0
// The dashboard in a browser, on a cluster of two nodes and on one with a token.
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { Browser, assert_fits, given, picture, until } from "./browser.mjs";
import { Line } from "./line.mjs";
import { assert_readable } from "./readable.mjs";

const { admin, doors, locked, token } = JSON.parse(
  given("TROUPE_TEST_DASHBOARD"),
);
const browser = await Browser.start();
const pages = [];
const listeners = new AbortController();

async function dashboard(view = "cluster", options = {}) {
  const page = await browser.open(`${options.at ?? admin}/#/${view}`, options);
  pages.push(page);
  return page;
}

/** A subscriber at /msgbus/; there when this is answered. */
async function listener(channel, door = doors[0]) {
  const answer = await fetch(`${door}/msgbus/${channel}`, {
    signal: listeners.signal,
  });
  await answer.body.getReader().read();
  kept.push(answer);
}
const kept = [];

const say = (channel, what, type = "text/plain") =>
  fetch(`${doors[0]}/msgbus/${channel}`, {
    method: "POST",
    body: what,
    headers: { "Content-Type": type, Authorization: `Basic ${btoa("anna:")}` },
  });

afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.context().close()));
  browser.check();
});
after(async () => {
  listeners.abort();
  await browser.close();
});

test("the map shows every node and the links between them", async () => {
  const page = await dashboard();
  await page.locator(".map .disc").nth(1).waitFor();
  assert.deepEqual(
    (await page.locator(".map .disc .name").allTextContents()).sort(),
    ["a", "b"],
  );
  await page.locator(".map .link.good").waitFor();
  await page.locator(".top .pill", { hasText: "ready" }).waitFor();
  const rows = page.locator("table", { hasText: "address" }).locator("tbody tr");
  assert.equal(await rows.count(), 2);
  // Rates want two looks.
  const posts = page.locator(".figures li", { hasText: "Posts" }).locator("strong");
  await until(async () => (await posts.textContent()) !== "–", "no rate");
  await picture(page, "cluster-1280-light");
});

test("all views fit and are readable, wide and narrow, light and dark", async () => {
  for (const [width, height, dark] of [[1280, 800, true], [390, 844, false]]) {
    const page = await dashboard("cluster", { width, height, dark });
    for (const view of ["cluster", "shards", "actors", "sessions", "channels", "rights", "metrics"]) {
      await page.goto(`${admin}/#/${view}`);
      await page.locator("nav.views a[aria-current]", { hasText: view }).waitFor();
      await page.locator("main .panel").first().waitFor();
      await page.getByText("Asking…").first().waitFor({ state: "detached" });
      await assert_fits(page);
      await assert_readable(page, `${view}, ${width}, ${dark ? "dark" : "light"}`);
      await picture(page, `${view}-${width}-${dark ? "dark" : "light"}`);
    }
  }
});

test("every group has its leader and voters", async () => {
  const page = await dashboard("shards");
  const rows = page.locator(".matrix tbody tr");
  await until(async () => (await rows.count()) === 5, "4 shards, 1 directory");
  await until(
    async () => (await page.locator("td.seat.leads").count()) === 5,
    "a leader each",
  );
  await until(
    async () => (await page.locator("td.seat.votes").count()) === 5,
    "the other one votes",
  );
});

test("the tree is used by keys and shows the state of an actor", async () => {
  const page = await dashboard("actors");
  const line = (path) => page.locator(`tr[data-path="${path}"]`);
  await line("/shards/1").waitFor();
  await line("/directory").focus();
  await page.keyboard.press("End");
  const last = await page.evaluate(() => document.activeElement.dataset.path);
  assert.match(last, /^\/shards\/4$/);
  await page.keyboard.press("ArrowLeft");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.path), "/shards");
  await page.keyboard.press("ArrowLeft");
  await line("/shards/1").waitFor({ state: "detached" });
  await page.keyboard.press("ArrowRight");
  await line("/shards/1").waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const detail = page.locator(".detail");
  await detail.locator("dt", { hasText: /^commit$/ }).waitFor();
  assert.equal(await detail.locator("h2").textContent(), "/shards/1");
  // Mailboxes and counts move while one looks.
  const handled = detail.locator(".facts div", { hasText: "handled" }).locator("dd");
  const before = await handled.textContent();
  await until(async () => (await handled.textContent()) !== before, "it stands still");
  await picture(page, "actor-1280-light");
});

test("a prefix chooses actors, here and at another node", async () => {
  const page = await dashboard("actors");
  await page.locator(`tr[data-path="/directory"]`).waitFor();
  await page.keyboard.press("/");
  await page.locator(".search:focus").waitFor(); // or the next key leads there
  await page.keyboard.type("/shards/2");
  await page.locator(`tr[data-path="/directory"]`).waitFor({ state: "detached" });
  await until(async () => (await page.locator("tr[data-path]").count()) === 2, "two rows");
  await page.locator(".node-choice select").selectOption({ label: "b" });
  await until(() => page.url().includes("node=2"), "the address");
  await page.locator(`tr[data-path="/shards/2"]`).waitFor();
});

test("sessions are those of the clients", async () => {
  await listener("news");
  const page = await dashboard("sessions");
  await page.locator("td", { hasText: "msgbus" }).first().waitFor();
  await page.locator(".search").fill("no such");
  await page.getByText("None of this page.").waitFor();
});

test("the tail shows what is said, and says it as it is", async () => {
  await listener("news/sport");
  await listener("news/world", doors[1]);
  const page = await dashboard("channels");
  await page.locator(".tail .pill", { hasText: "live" }).waitFor();
  await page.locator("button.link", { hasText: "news/world" }).first().waitFor();
  const evil = `<img src=x onerror="window.hurt=1">`;
  await say("news/sport", evil, "text/html");
  await page.locator(".said pre", { hasText: "<img" }).waitFor();
  for (let i = 0; i < 20; ++i) await say("news/sport", `number ${i}`);
  await page.locator(".said pre", { hasText: "number 19" }).waitFor();
  // Nothing is left out between two looks.
  assert.deepEqual(
    await page.locator(".said pre").allTextContents(),
    [...Array.from({ length: 20 }, (_, i) => `number ${19 - i}`), evil],
  );
  assert.equal(await page.evaluate(() => window.hurt), undefined);
  await picture(page, "channels-live-1280-light");
});

test("what the box publishes reaches listeners and the tail", async () => {
  await listener("box");
  const page = await dashboard("channels", { forgive: /status of 400/ });
  await page.locator(".tail .pill", { hasText: "live" }).waitFor();
  await page.locator("[aria-label='filter of the tail']").fill("box/#");
  await page.getByRole("button", { name: "Listen", exact: true }).click();
  await page.locator(".tail .pill", { hasText: "live" }).waitFor();
  await page.locator("#topic").fill("box");
  await page.locator("#data").fill("from the box");
  await page.locator("#data").press("Control+Enter");
  await page.locator(".publish [role=status]", { hasText: "Published" }).waitFor();
  await page.locator(".said pre", { hasText: "from the box" }).waitFor();
  await page.locator("#topic").fill("a/#");
  await page.getByRole("button", { name: "Publish" }).click();
  await page.locator(".publish .bad-text", { hasText: "Not published" }).waitFor();
});

test("keys lead everywhere, and not while one writes", async () => {
  const page = await dashboard();
  await page.locator(".map").waitFor();
  await page.keyboard.press("7");
  await page.locator("h2", { hasText: "Metrics" }).waitFor();
  await page.keyboard.press("/");
  await page.locator(".search:focus").waitFor();
  await page.keyboard.type("4");
  assert.match(page.url(), /metrics/);
  await page.keyboard.press("Escape");
  await page.keyboard.press("p");
  await page.locator(".trouble", { hasText: "Nothing moves" }).waitFor();
  await page.keyboard.press("t");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
  await page.keyboard.press("?");
  await page.locator("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
});

test("nobody is asked while it stands still or nobody looks", async () => {
  const page = await dashboard("actors");
  await page.locator("tr[data-path]").first().waitFor();
  let asked = 0;
  page.on("request", () => ++asked);
  await page.keyboard.press("p");
  await until(async () => {
    const before = asked;
    await page.waitForTimeout(3000);
    return asked === before;
  }, "it goes on asking");
  await page.keyboard.press("p");
  await until(() => asked > 0, "it does not go on");
});

test("a node that is away is said to be, and asked less and less", async (t) => {
  const line = await Line.open(new URL(admin));
  t.after(() => line.cut());
  const page = await dashboard("sessions", { at: line.url, forgive: /net::ERR_/ });
  await page.locator("h2", { hasText: "Sessions" }).waitFor();
  line.cut();
  await page.locator(".trouble", { hasText: "no connection" }).waitFor();
  await line.mend();
  await page.locator(".trouble").waitFor({ state: "hidden" });
});

test("a node with a token asks for it, and it is kept nowhere", async () => {
  const page = await dashboard("metrics", { at: locked, forgive: /401/ });
  await page.locator("#token").fill("wrong");
  await page.keyboard.press("Enter");
  await page.locator("dialog .bad-text", { hasText: "not the right one" }).waitFor();
  await picture(page, "token-1280-light");
  await page.locator("#token").fill(token);
  await page.keyboard.press("Enter");
  await page.locator("td", { hasText: "troupe_ready" }).waitFor();
  const kept = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
  );
  assert.ok(!kept.includes(token), kept);
  await page.getByRole("button", { name: "Forget token" }).click();
  await page.locator("#token").fill(token);
  await page.keyboard.press("Enter");
  await page.locator("dialog").waitFor({ state: "detached" });
  await page.reload();
  await page.locator("#token").waitFor();
});
