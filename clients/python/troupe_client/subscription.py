# SPDX-License-Identifier: Apache-2.0
"""Listening at a channel."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, Self

from .backoff import Backoff, BackoffOptions
from .body import Body
from .change import Change, OnChange, State
from .errors import Closed, Refused, TroupeError
from .fields import MessageFields
from .http import Broken, NotConnected
from .servers import Servers
from .waiting import within

# Ids of events remembered, as another node's history may overlap.
IDS_MAX = 1024
# A connection that held so long was a good one: the next try comes soon.
STEADY = 5.0


class Message(Body):
    """A publication as one subscriber got it."""

    def __init__(self, fields: MessageFields, channel: str) -> None:
        self.data = fields.data
        self.channel = channel if fields.channel is None else fields.channel
        self.sender = fields.sender
        self.type = fields.type
        self.id = fields.id  # with "sse" only

    def __repr__(self) -> str:
        return f"<Message {self.id} of {self.channel} from {self.sender}>"


class Stream(Protocol):
    """INTERNAL: one connection of a subscription, made by a door."""

    async def read(self) -> list[MessageFields] | None:
        """What came, perhaps nothing yet; None at its end."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class SubscriptionOptions:
    channel: str
    since: str | None
    connect_timeout: float
    idle_timeout: float  # 0 = none
    backoff: BackoffOptions | None
    on_change: OnChange | None


class Subscription:
    """Goes on over connections until it is closed. Reads from the network only
    while somebody waits for a message: who is slow is noticed by the server,
    which drops what is too much. Made by Channels.subscribe()."""

    def __init__(
        self,
        connect: Callable[[str | None], Awaitable[Stream]],
        servers: Servers,
        options: SubscriptionOptions,
    ) -> None:
        """INTERNAL. `connect` gets the id of the last message."""
        self._connect_to = connect
        self._servers = servers
        self._options = options
        self._since = options.since
        self._backoff = Backoff(options.backoff)
        self._stream: Stream | None = None
        self._ready: deque[Message] = deque()  # at most what one read brings
        self._pulling: asyncio.Task[None] | None = None
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._state: State = "idle"
        self._ended: BaseException | None = None
        self._opened_at = 0.0

    @property
    def state(self) -> State:
        return self._state

    @property
    def cursor(self) -> str | None:
        """Id of the last message received, for `since`; None if none came, or
        if the door gives none."""
        return self._since

    async def open(self, timeout: float | None) -> None:
        """INTERNAL: returns once it listens."""
        try:
            await within(timeout, self._connect())
        except BaseException as e:
            self._finish(e)
            raise

    async def receive(self, timeout: float | None = None) -> Message:
        """The next message. A wait that is cancelled takes none with it."""
        await within(timeout, self._wait_for_message())
        message = self._ready.popleft()
        if message.id is not None:
            self._since = message.id
        return message

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Messages until it is closed; leaving the loop leaves it open."""
        while True:
            try:
                message = await self.receive()
            except Closed:
                return
            yield message

    async def close(self) -> None:
        self._finish(Closed("the subscription was closed"))
        if self._pulling:
            self._pulling.cancel()
            await asyncio.gather(self._pulling, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _wait_for_message(self) -> None:
        while not self._ready:
            if self._ended:
                raise self._ended
            if self._pulling is None or self._pulling.done():
                self._pulling = asyncio.create_task(self._pull())
            # Who leaves does not interrupt a read that others may need.
            await asyncio.wait([self._pulling])

    async def _pull(self) -> None:
        """One read; a lost connection brings nothing."""
        try:
            if self._stream is None:
                await self._connect()
            await self._read()
        except Exception as e:
            self._finish(e)

    async def _read(self) -> None:
        stream = self._stream
        idle = self._options.idle_timeout
        if stream is None:
            return
        try:
            async with asyncio.timeout(idle or None):
                came = await stream.read()
            if came is None:
                raise Broken("the server ended the stream")
            for fields in came:
                self._arrived(fields)
        except TimeoutError:
            self._lost(f"silent for {idle} s")
        except TroupeError as e:
            self._lost(str(e))

    def _arrived(self, fields: MessageFields) -> None:
        if fields.id is not None:
            if fields.id in self._ids:
                return
            self._ids[fields.id] = None
            if len(self._ids) > IDS_MAX:
                self._ids.popitem(last=False)
        self._ready.append(Message(fields, self._options.channel))

    def _lost(self, reason: str) -> None:
        self._drop()
        now = asyncio.get_running_loop().time()
        if self._opened_at and now - self._opened_at >= STEADY:
            self._backoff.reset()
        self._servers.move_on()
        self._change("waiting", reason)

    async def _connect(self) -> None:
        """Tries one server after the other until there is a stream."""
        while self._stream is None:
            if self._ended:
                raise self._ended
            if self._state == "waiting":
                await asyncio.sleep(self._backoff.next())
            self._change("connecting")
            limit = self._options.connect_timeout
            try:
                async with asyncio.timeout(limit):
                    self._stream = await self._connect_to(self._since)
            except TimeoutError:
                self._lost(f"no answer in {limit} s")
            except (NotConnected, Broken) as e:
                self._lost(str(e))
            except Refused as e:
                if not e.temporary:
                    raise
                self._lost(str(e))
        self._opened_at = asyncio.get_running_loop().time()
        self._change("open")

    def _drop(self) -> None:
        if self._stream:
            self._stream.close()
            self._stream = None

    def _finish(self, error: BaseException) -> None:
        if self._ended:
            return
        self._change("closed", str(error))
        self._ended = error
        self._drop()

    def _change(self, state: State, reason: str | None = None) -> None:
        if self._state == "closed":
            return
        self._state = state
        if self._options.on_change:
            name = self._servers.current.name
            self._options.on_change(Change(state, name, reason))
