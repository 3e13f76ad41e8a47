// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { MultipartReader, boundary_of } from "../chatdemo/multipart.js";

const bytes = (text) => new TextEncoder().encode(text);
const end = "--00MsgBus00\n";
const stream =
  end +
  "Content-Type: text/plain\n\nhello" +
  end +
  "From: dugsong\nContent-Location: /msgbus/foo\nContent-Type: text/html\n\n" +
  "two\n\nlines -- and --00MsgBus" +
  end +
  "Content-Type: text/plain\n\n" +
  end +
  "Content-Type: text/plain;charset=UTF-8\n\ngrüße" +
  end;

const text_of = (part) => new TextDecoder().decode(part.body);

function check(parts) {
  assert.deepEqual(parts.map(text_of), [
    "hello",
    "two\n\nlines -- and --00MsgBus",
    "",
    "grüße",
  ]);
  assert.equal(parts[1].fields.get("from"), "dugsong");
  assert.equal(parts[1].fields.get("content-location"), "/msgbus/foo");
  assert.equal(parts[0].fields.has("from"), false);
}

test("parts come out of one piece", () => {
  check(new MultipartReader("00MsgBus00").push(bytes(stream)));
});

test("it does not matter where the stream is cut", () => {
  const whole = bytes(stream);
  for (let size = 1; size < whole.length; ++size) {
    const reader = new MultipartReader("00MsgBus00");
    const parts = [];
    for (let at = 0; at < whole.length; at += size)
      parts.push(...reader.push(whole.subarray(at, at + size)));
    check(parts);
  }
});

test("a length says where the body ends, whatever is in it", () => {
  const body = `x${end}y`;
  const parts = new MultipartReader("00MsgBus00").push(
    bytes(`${end}Content-Type: text/plain\nContent-Length: ${body.length}\n\n${body}${end}`),
  );
  assert.deepEqual(parts.map(text_of), [body]);
});

test("a part without any head is a part", () => {
  const parts = new MultipartReader("00MsgBus00").push(bytes(`${end}\nbare${end}`));
  assert.deepEqual(parts.map(text_of), ["bare"]);
});

test("a body without an end is not kept for ever", () => {
  const reader = new MultipartReader("00MsgBus00");
  reader.push(bytes(`${end}Content-Type: text/plain\n\n`));
  const piece = new Uint8Array(1 << 20).fill(120);
  assert.throws(() => {
    for (let i = 0; i < 8; ++i) reader.push(piece);
  });
});

test("a head without an end is not kept for ever", () => {
  const reader = new MultipartReader("00MsgBus00");
  assert.throws(() => reader.push(bytes(end + "x".repeat(1 << 16))));
});

test("the boundary is found in a content type", () => {
  const type = "multipart/x-mixed-replace;boundary=00MsgBus00";
  assert.equal(boundary_of(type), "00MsgBus00");
  assert.equal(boundary_of('multipart/mixed; boundary="a b"'), null);
  assert.equal(boundary_of('multipart/mixed; boundary="ab"'), "ab");
  assert.equal(boundary_of("text/html"), null);
  assert.equal(boundary_of(null), null);
});
