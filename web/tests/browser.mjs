// SPDX-License-Identifier: Apache-2.0
// Debian's Chromium without a window. A page that says anything in its console,
// asks another origin for something, or violates its policy fails its test.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const deadline = 30_000;

/** A value that the test that runs this file has to give. */
export function given(name) {
  assert.ok(process.env[name], `${name} is not set`);
  return process.env[name];
}

export class Browser {
  #browser;
  #complaints = [];

  /** `names`: host names that mean this machine. */
  static async start(names = []) {
    const self = new Browser();
    const rules = names.map((name) => `MAP ${name} 127.0.0.1`).join(",");
    self.#browser = await chromium.launch({
      executablePath: given("TROUPE_TEST_CHROMIUM"),
      args: [
        "--no-sandbox",
        "--disable-dev-shm-usage",
        ...(rules ? [`--host-resolver-rules=${rules}`] : []),
      ],
    });
    return self;
  }

  /** A window with nothing of the others in it. `options`: width, height,
   * dark, forgive: a pattern of console lines that are to be expected, foreign:
   * true for a page that is meant to ask other origins. */
  async open(url, options = {}) {
    const context = await this.#browser.newContext({
      viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
      colorScheme: options.dark ? "dark" : "light",
      reducedMotion: "reduce",
    });
    context.setDefaultTimeout(deadline);
    const page = await context.newPage();
    const origin = new URL(url).origin;
    page.on("console", (line) => {
      if (!["error", "warning"].includes(line.type())) return;
      if (!options.forgive?.test(line.text())) this.#complaints.push(line.text());
    });
    page.on("pageerror", (error) => this.#complaints.push(String(error)));
    page.on("request", (request) => {
      const to = new URL(request.url());
      if (options.foreign) return;
      if (to.protocol !== "data:" && to.origin !== origin)
        this.#complaints.push(`asked ${to}`);
    });
    await page.goto(url);
    return page;
  }

  /** Fails if a page has complained since the last call. */
  check() {
    assert.deepEqual(this.#complaints.splice(0), []);
  }

  async close() {
    await this.#browser?.close();
  }
}

/** Leaves a picture in the folder TROUPE_TEST_PICTURES, if there is one. */
export async function picture(page, name) {
  const folder = process.env.TROUPE_TEST_PICTURES;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Asks until the answer is true; the time only bounds how long a failure
 * takes. */
export async function until(question, why) {
  const end = Date.now() + deadline;
  for (;;) {
    if (await question()) return;
    assert.ok(Date.now() < end, why);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Nothing sticks out to the right of the window. */
export async function assert_fits(page) {
  const [wide, window_wide] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    window.innerWidth,
  ]);
  assert.ok(wide <= window_wide, `${wide} px in a window of ${window_wide}`);
}
