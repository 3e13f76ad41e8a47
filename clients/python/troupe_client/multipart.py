# SPDX-License-Identifier: Apache-2.0
"""Takes multipart streams of /msgbus/ apart."""

from .errors import Overflow, TroupeError
from .fields import MessageFields

BOUNDARY = b"--00MsgBus00\n"
HEADERS_BYTES_MAX = 16_384
PREFIX = "/msgbus/"


class MultipartReader:
    """A part has no length, its end is the next boundary: a body with that
    text in it comes in pieces. Pure."""

    def __init__(self, message_bytes_max: int) -> None:
        self._max = message_bytes_max
        self._bytes = bytearray()
        self._searched = 0
        self._begun = False  # behind the first boundary

    def feed(self, chunk: bytes) -> list[MessageFields]:
        """The messages that are whole now."""
        self._bytes += chunk
        out = []
        while (end := self._bytes.find(BOUNDARY, self._searched)) >= 0:
            if self._begun:
                out.append(_part(bytes(self._bytes[:end])))
            elif end > 0:
                raise TroupeError("the stream does not begin with its boundary")
            self._begun = True
            del self._bytes[: end + len(BOUNDARY)]
            self._searched = 0
        self._searched = max(0, len(self._bytes) - len(BOUNDARY) + 1)
        if len(self._bytes) > self._max + HEADERS_BYTES_MAX:
            raise Overflow(f"a message above {self._max} bytes")
        return out


def _part(raw: bytes) -> MessageFields:
    head, found, data = raw.partition(b"\n\n")
    if not found:
        raise TroupeError("the stream has a part without headers")
    fields = {}
    for line in head.decode(errors="replace").split("\n"):
        name, _, value = line.partition(": ")
        fields[name.lower()] = value
    channel = fields.get("content-location")
    return MessageFields(
        channel=channel if channel is None else channel.removeprefix(PREFIX),
        sender=fields.get("from"),
        type=fields.get("content-type"),
        id=None,
        data=data,
    )
