# SPDX-License-Identifier: Apache-2.0
"""Reads an audit log by docs/formats/audit.md and nothing else: what another
program would have to do to believe a folder."""

import hashlib
import hmac
import struct

HEAD_BYTES = 128
FRAME_BYTES = 40
TEXTS = (
    "realm",
    "user",
    "address",
    "target",
    "type",
    "reason",
    "reference",
    "detail",
)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 & -(crc & 1))
    return crc ^ 0xFFFFFFFF


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def seal(key, head):
    return hmac.new(key, head[:88], hashlib.sha256).digest()


def record_of(body):
    names = ("sequence", "time_ms", "session", "size", "recipients")
    found = dict(zip(names, struct.unpack_from("<QqQQI", body)))
    kind, flags, zero = struct.unpack_from("<BBH", body, 36)
    assert zero == 0 and flags < 8
    found["kind"], found["accepted"] = kind, bool(flags & 1)
    at = 40
    if flags & 2:
        found["sha256"] = body[at : at + 32].hex()
        at += 32
    for name in TEXTS:
        (length,) = struct.unpack_from("<H", body, at)
        found[name] = body[at + 2 : at + 2 + length].decode()
        at += 2 + length
    if flags & 4:
        (length,) = struct.unpack_from("<I", body, at)
        found["payload"] = body[at + 4 : at + 4 + length]
        at += 4 + length
    assert at == len(body)
    return found


def read(folder, key=None):
    """All records, in order; fails where the chain is not whole."""
    chain, records = None, []
    for path in sorted(folder.glob("*.audit")):
        data = path.read_bytes()
        head = data[:HEAD_BYTES]
        assert head[:8] == b"TRPAUDIT", path
        assert struct.unpack_from("<I", head, 8) == (1,)
        assert f"{struct.unpack_from('<Q', head, 32)[0]:016x}" == path.stem
        assert crc32c(head[:120]) == struct.unpack_from("<I", head, 120)[0]
        if chain is not None:
            assert head[56:88] == chain, f"{path}: not behind the one before"
        if key is not None:
            assert head[88:120] == seal(key, head), f"{path}: not sealed"
        chain, at = sha256(head[:88]), HEAD_BYTES
        while at < len(data):
            (length,) = struct.unpack_from("<I", data, at)
            body = data[at + FRAME_BYTES : at + FRAME_BYTES + length]
            chain = sha256(chain, body)
            assert data[at + 8 : at + 40] == chain, f"{path}, {at}: broken"
            records.append(record_of(body))
            at += FRAME_BYTES + length
    return records
