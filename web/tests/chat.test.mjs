// SPDX-License-Identifier: Apache-2.0
// The chat in a browser, served by one node and by two of a cluster.
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { Browser, assert_fits, given, picture, until } from "./browser.mjs";
import { Line } from "./line.mjs";

const [here, there] = given("TROUPE_TEST_CHATS").split(" ");
const browser = await Browser.start();
const pages = [];

async function chat(url = here, options = {}) {
  const page = await browser.open(`${url}/`, options);
  pages.push(page);
  await page.locator("#connection", { hasText: /^Connected$/ }).waitFor();
  return page;
}

async function say(page, what) {
  await page.locator("#text").fill(what);
  await page.locator("#text").press("Enter");
  await page.locator("#sending", { hasText: /^Sent$/ }).waitFor();
}

const shown = (page) => page.locator("#lines .what").allTextContents();

async function sees(page, what) {
  await page.locator("#lines .what", { hasText: what }).first().waitFor();
}

const post = (what, type) =>
  fetch(`${here}/msgbus/chatdemo`, {
    method: "POST",
    body: what,
    headers: { "Content-Type": type },
  });

afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.context().close()));
  browser.check();
});
after(() => browser.close());

test("MB-18: two windows see each other's lines", async () => {
  const [anna, bert] = [await chat(), await chat()];
  await anna.locator("#name").fill("anna");
  await say(anna, "hello from anna");
  await sees(bert, "hello from anna");
  await say(bert, "hello from bert");
  await sees(anna, "hello from bert");
  const wanted = ["hello from anna", "hello from bert"];
  assert.deepEqual(await shown(anna), wanted);
  assert.deepEqual(await shown(bert), wanted);
  assert.deepEqual(await bert.locator("#lines .who").allTextContents(), ["anna"]);
  await picture(bert, "chat-1280-light");
});

test("windows at two nodes of a cluster see each other's lines", async () => {
  const [anna, bert] = [await chat(here), await chat(there)];
  await say(anna, "from the first node");
  await sees(bert, "from the first node");
  await say(bert, "from the second node");
  await sees(anna, "from the second node");
});

test("what is said is text, whatever it looks like", async () => {
  const window = await chat();
  const evil = `<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>`;
  await say(window, evil);
  await sees(window, "<img");
  await post(evil, "text/html");
  await until(async () => (await shown(window)).length === 2, "the second one");
  assert.deepEqual(await shown(window), [evil, evil]);
  assert.equal(await window.locator("#lines img, #lines script").count(), 0);
  assert.equal(await window.evaluate(() => window.hurt), undefined);
});

test("the policy of the page forbids what would be dangerous", async () => {
  const window = await chat(here, { forgive: /Content Security Policy|Trusted(HTML|Script)/ });
  const thrown = await window.evaluate(() => {
    try {
      document.getElementById("lines").innerHTML = "<b>x</b>";
      return "nothing";
    } catch (why) {
      return why.constructor.name;
    }
  });
  assert.equal(thrown, "TypeError");
  const ran = await window.evaluate(() => {
    const script = document.createElement("script");
    try {
      script.text = "window.hurt = 1";
      document.head.append(script);
    } catch {}
    return window.hurt;
  });
  assert.equal(ran, undefined);
});

test("the words of the status are those of old", async () => {
  const window = await chat();
  const words = await window.evaluate(() => {
    const seen = (window.seen = []);
    const sending = document.getElementById("sending");
    seen.push(sending.textContent);
    new MutationObserver(() => seen.push(sending.textContent)).observe(sending, {
      childList: true,
    });
    return seen;
  });
  assert.deepEqual(words, ["Waiting"]);
  await window.locator("#text").pressSequentially("hi");
  await window.locator("#sending", { hasText: "Typing" }).waitFor();
  await window.locator("#text").press("Enter");
  await window.locator("#sending", { hasText: /^Sent$/ }).waitFor();
  const all = await window.evaluate(() => window.seen);
  const changes = all.filter((word, i) => word !== all[i - 1]);
  assert.deepEqual(changes, ["Waiting", "Typing", "Sending", "Sent"]);
  assert.equal(await window.locator("#text").inputValue(), "");
});

test("the last ten lines are kept, in order", async () => {
  const window = await chat();
  for (let i = 1; i <= 13; ++i) await post(`line ${i}`, "text/plain");
  await sees(window, "line 13");
  const wanted = Array.from({ length: 10 }, (_, i) => `line ${i + 4}`);
  assert.deepEqual(await shown(window), wanted);
});

test("line breaks, other alphabets and what is no text", async () => {
  const window = await chat(here, { width: 390, height: 700, dark: true });
  await window.locator("#text").fill("first");
  await window.locator("#text").press("Shift+Enter");
  await window.locator("#text").pressSequentially("second 日本 ü");
  await window.locator("#text").press("Enter");
  await sees(window, "second 日本 ü");
  assert.deepEqual(await shown(window), ["first\nsecond 日本 ü"]);
  await post(new Uint8Array([0, 255, 1]), "image/png");
  await sees(window, "image/png, 3 bytes");
  await post("w".repeat(400), "text/plain");
  await sees(window, "www");
  await assert_fits(window);
  await picture(window, "chat-390-dark");
});

test("a window that loses its connection says so and comes back", async (t) => {
  const line = await Line.open(new URL(here));
  t.after(() => line.cut());
  const window = await chat(line.url, { forgive: /net::ERR_/ });
  line.cut();
  await window.locator("#connection", { hasText: "Disconnected" }).waitFor();
  await window.locator("#text").fill("kept");
  await window.locator("#text").press("Enter");
  await window.locator("#problem", { hasText: "Not sent." }).waitFor();
  assert.equal(await window.locator("#text").inputValue(), "kept");
  await line.mend();
  await window.locator("#connection", { hasText: /^Connected$/ }).waitFor();
  await window.locator("#text").press("Enter");
  await sees(window, "kept");
  assert.equal(await window.locator("#problem").textContent(), "");
});
