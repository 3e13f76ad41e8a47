# SPDX-License-Identifier: Apache-2.0
"""Requests that wait for their acks, over connections."""

import asyncio
from collections.abc import Callable
from typing import Any

from .backoff import Backoff, BackoffOptions
from .errors import OutcomeUnknown, Overflow, Refused, TimedOut, TroupeError

# After these a request may be tried again later.
TEMPORARY = frozenset(
    (
        "inbox full",
        "server busy",
        "server error",
        "service unavailable",
        "storage full",
        "timed out",
        "too many requests",
    )
)
# Of these, what passes by itself while a cluster finds a new leader.
PASSING = frozenset(("server busy", "service unavailable", "timed out"))


class _Entry:
    def __init__(
        self,
        id: str,
        payload: bytes,
        repeatable: bool,
        on_sent: Callable[[], None] | None,
    ) -> None:
        self.id = id
        self.payload = payload
        self.repeatable = repeatable
        self.on_sent = on_sent
        self.answer: asyncio.Future[str] = (
            asyncio.get_running_loop().create_future()
        )
        self.sent = False
        self.ever_sent = False
        self.backoff = Backoff(BackoffOptions(0.2, 5))
        self.pausing: asyncio.TimerHandle | None = None


class Requests:
    """In the order they were made. Bounded by number and bytes; each has a
    deadline. One that may be repeated (the broker recognises it) is sent again
    on the next connection."""

    def __init__(
        self, count_max: int, bytes_max: int, send: Callable[[bytes], bool]
    ) -> None:
        """`send` sends if there is a connection, and says whether it did."""
        self._count_max = count_max
        self._bytes_max = bytes_max
        self._send = send
        self._all: dict[str, _Entry] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._all)

    async def ask(
        self,
        id: str,
        payload: bytes,
        *,
        repeatable: bool,
        timeout: float,
        on_sent: Callable[[], None] | None = None,
    ) -> str:
        """The remark of the ack, "" if none."""
        if id in self._all:
            raise ValueError(f"a request with the id {id} is under way")
        if len(self._all) >= self._count_max:
            raise Overflow(f"{self._count_max} requests wait for answers")
        if self._all and self._bytes + len(payload) > self._bytes_max:
            raise Overflow(f"{self._bytes} bytes wait for answers")
        entry = _Entry(id, payload, repeatable, on_sent)
        self._all[id] = entry
        self._bytes += len(payload)
        try:
            self._transmit(entry)
            async with asyncio.timeout(timeout):
                return await entry.answer
        except TimeoutError:
            never = "" if entry.ever_sent else ", as there was no connection"
            raise TimedOut(
                f"no answer in {timeout} s{never}", sent=entry.ever_sent
            ) from None
        finally:
            self._remove(entry)

    def connected(self) -> None:
        """A new connection is ready."""
        for entry in list(self._all.values()):
            self._transmit(entry)

    def disconnected(self, reason: str, complaint: bool) -> None:
        """`complaint`: the server ended it because of something in what was
        sent; repeating that would end the next connection, too."""
        sent = [entry for entry in self._all.values() if entry.sent]
        for entry in sent:
            entry.sent = False
            if complaint and len(sent) == 1:
                self._fail(entry, Refused(reason))
            elif complaint or not entry.repeatable:
                error = OutcomeUnknown(f"the connection was lost: {reason}")
                self._fail(entry, error)

    def answered(self, header: dict[str, Any]) -> None:
        entry = self._all.get(header.get("id", ""))
        if entry is None or entry.answer.done():
            return  # given up meanwhile
        error = header.get("error")
        if header.get("type") == "ok":
            entry.answer.set_result(error or "")
        elif entry.repeatable and error in PASSING:
            self._later(entry)
        else:
            reason = error or "refused without a reason"
            temporary = reason in TEMPORARY
            self._fail(entry, Refused(reason, temporary=temporary))

    def end(self, error: TroupeError) -> None:
        """All fail with that."""
        for entry in list(self._all.values()):
            self._fail(entry, error)

    def _transmit(self, entry: _Entry) -> None:
        if entry.sent or entry.pausing or entry.answer.done():
            return
        entry.sent = self._send(entry.payload)
        if entry.sent:
            entry.ever_sent = True
            if entry.on_sent:
                entry.on_sent()

    def _later(self, entry: _Entry) -> None:
        entry.sent = False

        def again() -> None:
            entry.pausing = None
            self._transmit(entry)

        loop = asyncio.get_running_loop()
        entry.pausing = loop.call_later(entry.backoff.next(), again)

    def _fail(self, entry: _Entry, error: TroupeError) -> None:
        if not entry.answer.done():
            entry.answer.set_exception(error)

    def _remove(self, entry: _Entry) -> None:
        if entry.pausing:
            entry.pausing.cancel()
        if self._all.get(entry.id) is entry:
            del self._all[entry.id]
            self._bytes -= len(entry.payload)
