# SPDX-License-Identifier: Apache-2.0
"""What came into an inbox and is not acknowledged."""

import json
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .body import Body
from .packets import Packet

# Ids remembered of what was acknowledged: above any window, so that a
# repetition that crossed its ack, or whose ack was lost, is known.
DONE_IDS_MAX = 4096

KINDS = {
    "deliver": "message",
    "registered": "aliases changed",
    "listEdited": "list changed",
}


class Delivery(Body):
    """A message in the inbox, in the application's hands until it is acked."""

    def __init__(self, packet: Packet, ack: Callable[[], None]) -> None:
        header = packet.header
        self.data = packet.data
        self.id: str = header["id"]
        self.kind: str = KINDS[header["op"]]
        # The user who sent it.
        self.sender: str | None = header.get("from")
        self.etc_text = packet.etc
        # In the inbox; ascending, with holes.
        self.position: int = header.get("seq", 0)
        expires = header.get("expires")
        self.expires = (
            None
            if expires is None
            else datetime.fromtimestamp(expires / 1000, UTC)
        )
        self._ack = ack
        self._acked = False

    @property
    def etc(self) -> Any:
        """The JSON value beside the data; None if there is none, or if it is
        no JSON."""
        try:
            return None if self.etc_text is None else json.loads(self.etc_text)
        except ValueError:
            return None

    @property
    def acked(self) -> bool:
        return self._acked

    def ack(self) -> None:
        """This device has it: it does not come again. Twice is once."""
        if not self._acked:
            self._acked = True
            self._ack()

    def __repr__(self) -> str:
        return f"<Delivery {self.id} {self.kind} from {self.sender}>"


@dataclass(eq=False)
class _Entry:
    id: str
    position: int | None
    acked: bool = False


class Deliveries:
    """On the wire an ack stands for all before it, so one goes out only for a
    row of acknowledged deliveries without a gap, in the order of this
    connection; the cursor follows. Pure."""

    def __init__(
        self, on_ack: Callable[[], None], cursor: int | None = None
    ) -> None:
        """`on_ack` is told that there may be something to acknowledge."""
        self.cursor = cursor
        self._on_ack = on_ack
        # With the application, over connections.
        self._held: dict[str, _Entry] = {}
        # Acknowledged by the application, oldest first.
        self._done: OrderedDict[str, None] = OrderedDict()
        # Those that came on this connection.
        self._flight: deque[_Entry] = deque()

    @property
    def held(self) -> int:
        return len(self._held)

    def connected(self) -> None:
        self._flight.clear()

    def arrived(self, packet: Packet) -> Delivery | None:
        """None for one the application has had already."""
        id = packet.header["id"]
        if (known := self._held.get(id)) is not None:
            if known not in self._flight:
                self._flight.append(known)
            return None
        entry = _Entry(id, packet.header.get("seq"))
        self._flight.append(entry)
        if id in self._done:
            entry.acked = True
            self._on_ack()
            return None
        self._held[id] = entry
        return Delivery(packet, lambda: self._acked(entry))

    def take_ack(self) -> str | None:
        """Moves the cursor; the id to acknowledge."""
        last = None
        while self._flight and self._flight[0].acked:
            last = self._flight.popleft()
        if last is None:
            return None
        if last.position is not None:
            self.cursor = max(self.cursor or 0, last.position)
        return last.id

    def _acked(self, entry: _Entry) -> None:
        entry.acked = True
        self._held.pop(entry.id, None)
        self._done[entry.id] = None
        if len(self._done) > DONE_IDS_MAX:
            self._done.popitem(last=False)
        self._on_ack()
