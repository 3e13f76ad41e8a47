// SPDX-License-Identifier: Apache-2.0
// What everybody needs to read and use a page, looked at in the page itself.
import assert from "node:assert/strict";

/** Runs in the page: complaints about texts too pale for WCAG 2 AA (4.5 : 1,
 * large ones 3 : 1) and about controls without a name. */
function complaints() {
  const numbers = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
  const opaque = (colour) => numbers(colour).length === 3 || numbers(colour)[3] === 1;
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((v) => {
      const part = v / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (opaque(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = new Set();
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some(
      (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "",
    );
    if (!own || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.closest(":disabled, noscript, style")) continue;
    const style = getComputedStyle(element);
    const colour = element instanceof SVGElement ? style.fill : style.color;
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const seen = contrast(colour, ground(element));
    if (seen < (large ? 3 : 4.5))
      found.add(`${seen.toFixed(2)} : 1 for "${element.textContent.slice(0, 30)}"`);
  }
  for (const element of document.querySelectorAll("button, input, select, textarea, a, [tabindex='0']")) {
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const name =
      element.getAttribute("aria-label") ??
      [...(element.labels ?? [])].map((label) => label.textContent).join("") +
        (element.matches("input, select, textarea") ? "" : element.textContent);
    if (name.trim() === "") found.add(`no name: ${element.outerHTML.slice(0, 80)}`);
  }
  if (!document.documentElement.lang) found.add("no language");
  return [...found];
}

/** Fails if the page has texts that are hard to see or controls that can't be
 * named by a screen reader. */
export async function assert_readable(page, where) {
  assert.deepEqual(await page.evaluate(complaints), [], where);
}
