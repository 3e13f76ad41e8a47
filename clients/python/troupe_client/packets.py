# SPDX-License-Identifier: Apache-2.0
"""websocket.MQ's messages: LLLL header [etc] [data]. See
docs/protocols/mq.md."""

import json
import re
from dataclasses import dataclass
from typing import Any

from .errors import TroupeError

HEADER_BYTES_MAX = 0xFFFF
_LENGTH = re.compile(rb"[0-9a-f]{1,4} *")
NO_ETC: Any = object()


@dataclass(frozen=True)
class Packet:
    header: dict[str, Any]
    etc: str | None  # as sent
    data: bytes


def to_bytes(data: str | bytes | bytearray | memoryview) -> bytes:
    return data.encode() if isinstance(data, str) else bytes(data)


def encode_packet(
    header: dict[str, Any],
    etc: Any = NO_ETC,
    data: str | bytes | bytearray | memoryview = b"",
) -> bytes:
    tail = b"" if etc is NO_ETC else _compact(etc)
    if etc is not NO_ETC:
        header = {**header, "etc": len(tail)}
    text = _compact(header)
    if len(text) > HEADER_BYTES_MAX:
        raise ValueError(f"the header is {len(text)} bytes, above 65535")
    return b"%-4x" % len(text) + text + tail + to_bytes(data)


def decode_packet(payload: bytes) -> Packet:
    lead = payload[:4]
    if len(lead) < 4 or not _LENGTH.fullmatch(lead):
        raise TroupeError("the server sent no message of websocket.MQ")
    end = 4 + int(lead, 16)
    try:
        header = json.loads(payload[4:end])
    except ValueError as e:
        raise TroupeError("the server sent a broken header") from e
    if not isinstance(header, dict) or not isinstance(header.get("op"), str):
        raise TroupeError("the server sent a header without op")
    size = header.get("etc")
    if not isinstance(size, int) or isinstance(size, bool):
        return Packet(header, None, payload[end:])
    if size < 0 or end + size > len(payload):
        raise TroupeError("the server sent less than it announced")
    etc = payload[end : end + size].decode(errors="replace")
    return Packet(header, etc, payload[end + size :])


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
