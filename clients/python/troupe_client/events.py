# SPDX-License-Identifier: Apache-2.0
"""Takes a text/event-stream of format=json apart."""

import base64
import json

from .errors import Overflow, TroupeError
from .fields import MessageFields

# How much longer than its body an event can be: base64 and JSON's escapes.
EXPANSION = 6
EVENT_BYTES_MIN = 16_384


class EventReader:
    """Pure."""

    def __init__(self, message_bytes_max: int) -> None:
        self._max = message_bytes_max * EXPANSION + EVENT_BYTES_MIN
        self._rest = bytearray()
        self._searched = 0
        self._data: list[bytes] = []
        self._size = 0  # of _data

    def feed(self, chunk: bytes) -> list[MessageFields]:
        """The messages that are whole now."""
        self._rest += chunk
        out = []
        while (end := self._rest.find(b"\n", self._searched)) >= 0:
            line = bytes(self._rest[:end])
            del self._rest[: end + 1]
            self._searched = 0
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
                self._size += len(line)
            elif not line and self._data:
                out.append(_message(b"\n".join(self._data)))
                self._data.clear()
                self._size = 0
            # comments; "id" and "event" are in the data, too
        self._searched = len(self._rest)
        if self._size + len(self._rest) > self._max:
            raise Overflow("an event above the bound")
        return out


def _message(text: bytes) -> MessageFields:
    try:
        fields = json.loads(text)
        data = fields.get("data", "").encode()
        if "base64" in fields:
            data = base64.b64decode(fields["base64"], validate=True)
    except (ValueError, AttributeError, TypeError) as e:
        raise TroupeError("the stream has an event that is none") from e
    return MessageFields(
        channel=fields.get("channel"),
        sender=fields.get("sender"),
        type=fields.get("type"),
        id=fields.get("id"),
        data=data,
    )
