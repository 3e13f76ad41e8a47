# SPDX-License-Identifier: Apache-2.0
"""Frames and messages of websocket.MQ, as bytes: draft frames, RFC 6455's, and
what is in them. Pure functions."""

import json
import os
import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    first: int  # byte 0: final bit, reserved bits, opcode
    payload: bytes
    raw: bytes

    @property
    def opcode(self):
        return self.first & 0x0F


def draft_frame(payload, first=0x85, upper=0):
    """`upper` goes into the ignored half of an eight-byte length."""
    n = len(payload)
    if n < 126:
        head = bytes((first, n))
    elif n < 0x10000:
        head = struct.pack(">BBH", first, 126, n)
    else:
        head = struct.pack(">BBII", first, 127, upper, n)
    return head + payload


def masked(payload, key):
    n = len(payload)
    pad = (key * (n // 4 + 1))[:n]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")
    return mixed.to_bytes(n, "big")


def websocket_frame(payload, opcode=2, final=True, reserved=0, mask=True):
    first = (0x80 if final else 0) | reserved << 4 | opcode
    bit = 0x80 if mask else 0
    n = len(payload)
    if n < 126:
        head = bytes((first, bit | n))
    elif n < 0x10000:
        head = struct.pack(">BBH", first, bit | 126, n)
    else:
        head = struct.pack(">BBQ", first, bit | 127, n)
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + masked(payload, key)


def take_frame(buffer):
    """Cuts the first frame off a bytearray; None if it is not whole yet.
    Both framings lay out an unmasked frame alike."""
    if len(buffer) < 2:
        return None
    if buffer[1] & 0x80:
        raise AssertionError("a server must not mask its frames")
    n, start = buffer[1], 2
    if n == 126:
        if len(buffer) < 4:
            return None
        n, start = struct.unpack_from(">H", buffer, 2)[0], 4
    elif n == 127:
        if len(buffer) < 10:
            return None
        n, start = struct.unpack_from(">Q", buffer, 2)[0], 10
    if len(buffer) < start + n:
        return None
    raw = bytes(buffer[: start + n])
    del buffer[: start + n]
    return Frame(raw[0], raw[start:], raw)


@dataclass(frozen=True)
class Message:
    header: dict
    etc: bytes | None  # as sent, None if the header names none
    data: bytes
    raw: bytes  # the frame it came in, or the last fragment of it

    def __getitem__(self, field):
        return self.header[field]

    def get(self, field, default=None):
        return self.header.get(field, default)

    @property
    def op(self):
        return self.header["op"]

    @property
    def etc_json(self):
        return None if self.etc is None else json.loads(self.etc)

    def __str__(self):
        return f"{json.dumps(self.header)} +{len(self.data)} bytes of data"


ABSENT = object()


def encode_message(header, etc=ABSENT, data=b""):
    """Lays out LLLL header [etc] [data]; `etc` is any JSON value, or bytes
    that are taken as they are."""
    tail = b""
    if etc is not ABSENT:
        tail = etc if isinstance(etc, bytes) else compact(etc)
        header = {**header, "etc": len(tail)}
    text = compact(header)
    return b"%-4x" % len(text) + text + tail + data


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def decode_message(payload, raw=b""):
    n = int(payload[:4], 16)
    if payload[:4] != b"%-4x" % n:
        raise AssertionError(f"length header {payload[:4]!r} is not canonical")
    text = payload[4 : 4 + n]
    if len(text) != n:
        raise AssertionError("the message is shorter than its header")
    header = json.loads(text.decode("ascii"))
    if "etc" not in header:
        return Message(header, None, payload[4 + n :], raw)
    cut = 4 + n + header["etc"]
    return Message(header, payload[4 + n : cut], payload[cut:], raw)
