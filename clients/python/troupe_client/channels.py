# SPDX-License-Identifier: Apache-2.0
"""The ephemeral plane: channels."""

import asyncio
import base64
import re
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import urlencode

from .backoff import BackoffOptions
from .body import Data
from .change import OnChange
from .errors import OutcomeUnknown, Overflow, Refused, TimedOut, Unreachable
from .events import EventReader
from .fields import MessageFields
from .http import Broken, Head, HttpConnection, NotConnected
from .multipart import MultipartReader
from .packets import to_bytes
from .servers import ServerList, Servers
from .subscription import Subscription, SubscriptionOptions

# A server closes what was idle for a minute; whoever comes just then does not
# know what became of his request.
KEPT_FOR = 20.0

Patterns = str | Sequence[str]
Via = Literal["sse", "msgbus"]

# What a target can carry as it is: nothing is decoded on the other side.
_CHANNEL = re.compile(r"[A-Za-z0-9\-._~!$&()*+,;=:@%/]*")
_DOTS = re.compile(r"(\.|%2e){1,2}", re.IGNORECASE)


@dataclass(frozen=True)
class _Door:
    """How a stream is asked for and read."""

    accept: str
    query: dict[str, str]
    reader: Callable[[int], EventReader | MultipartReader]
    idle_timeout: float


_DOORS = {
    # The server says something every 15 s.
    "sse": _Door("text/event-stream", {"format": "json"}, EventReader, 60),
    "msgbus": _Door("multipart/x-mixed-replace", {}, MultipartReader, 0),
}


class _HttpStream:
    def __init__(
        self,
        connection: HttpConnection,
        head: Head,
        reader: EventReader | MultipartReader,
    ) -> None:
        self._connection = connection
        self._head = head
        self._reader = reader

    async def read(self) -> list[MessageFields] | None:
        data = await self._connection.read_some(self._head)
        return self._reader.feed(data) if data else None

    def close(self) -> None:
        self._connection.close()


class Channels:
    """What is published reaches who listens just then, on any node, at most
    once. Belongs to one event loop."""

    def __init__(
        self,
        servers: ServerList,
        *,
        user: str | None = None,
        password: str = "",
        token: str | None = None,
        via: Via = "sse",
        timeout: float = 30.0,
        connect_timeout: float = 10.0,
        idle_timeout: float | None = None,
        message_bytes_max: int = 20 << 20,
        publishes_max: int = 1024,
        backoff: BackoffOptions | None = None,
        on_change: OnChange | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`user` is the name as a sender, with the password if the server
        knows one; `token`, instead of both, is a token of the server's or a JWT
        that it takes. `via` "sse" has ids, so that it can
        go on where it was, and heart-beats; "msgbus" has neither.
        `idle_timeout` is the silence after which a stream counts as lost, 0
        for never."""
        if via not in _DOORS:
            raise ValueError(f"via: one of {list(_DOORS)}")
        self._server_list = servers
        self._servers = Servers(servers)
        self._door = _DOORS[via]
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._idle_timeout = (
            self._door.idle_timeout if idle_timeout is None else idle_timeout
        )
        self._message_bytes_max = message_bytes_max
        self._publishes_max = publishes_max
        self._backoff = backoff
        self._on_change = on_change
        self._tls = tls
        self._fields: dict[str, str] = {}
        if token is not None:
            if user is not None or password:
                raise ValueError("token: without user or password")
            self._fields["Authorization"] = f"Bearer {token}"
        elif user is not None:
            text = base64.b64encode(f"{user}:{password}".encode()).decode()
            self._fields["Authorization"] = f"Basic {text}"
        self._connection: HttpConnection | None = None
        self._used_at = 0.0
        self._turn = asyncio.Lock()
        self._publishing = 0
        self._subscriptions: set[Subscription] = set()

    async def publish(
        self,
        channel: str,
        data: Data,
        *,
        type: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Returns once it was handed to all who listen. Publications of one
        object go out in order. A server that cannot be reached is passed over;
        one that was lost meanwhile is not: OutcomeUnknown."""
        path = _path(channel)
        if type is None:
            text = isinstance(data, str)
            plain = "text/plain; charset=utf-8"
            type = plain if text else "application/octet-stream"
        if "\r" in type or "\n" in type:
            raise ValueError("type: a line end")
        if self._publishing >= self._publishes_max:
            raise Overflow(f"{self._publishing} publications wait")
        limit = self._timeout if timeout is None else timeout
        sent = False
        self._publishing += 1
        try:
            async with asyncio.timeout(limit), self._turn:
                connection = await self._connected()
                sent = True
                await self._hand(connection, path, type, to_bytes(data))
        except TimeoutError:
            raise TimedOut(f"no answer in {limit} s", sent=sent) from None
        finally:
            self._publishing -= 1

    async def subscribe(
        self,
        channel: str,
        *,
        types: Patterns | None = None,
        senders: Patterns | None = None,
        since: str | None = None,
        timeout: float | None = None,
        on_change: OnChange | None = None,
    ) -> Subscription:
        """A subscription that listens already; the channel "" stands for all
        of them. Patterns have * and ?, ! in front takes out. `since`: begin
        behind the message of that id, "0" with all there is, as far as the
        server keeps a history."""
        path = _path(channel)
        query = dict(self._door.query)
        if types is not None:
            query["type"] = _list(types)
        if senders is not None:
            query["sender"] = _list(senders)
        servers = Servers(self._server_list)

        async def connect(since: str | None) -> _HttpStream:
            more = query if since is None else {**query, "since": since}
            target = f"{path}?{urlencode(more)}" if more else path
            return await self._stream(servers, target)

        subscription = Subscription(
            connect,
            servers,
            SubscriptionOptions(
                channel=channel,
                since=since,
                connect_timeout=self._connect_timeout,
                idle_timeout=self._idle_timeout,
                backoff=self._backoff,
                on_change=on_change or self._on_change,
            ),
        )
        await subscription.open(timeout)
        self._subscriptions = {
            s for s in self._subscriptions if s.state != "closed"
        }
        self._subscriptions.add(subscription)
        return subscription

    async def close(self) -> None:
        """Closes its subscriptions, too."""
        for each in self._subscriptions:
            await each.close()
        self._subscriptions.clear()
        self._forget()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _connected(self) -> HttpConnection:
        now = asyncio.get_running_loop().time()
        if self._connection:
            if self._connection.usable and now - self._used_at < KEPT_FOR:
                return self._connection
            self._forget()
        for left in reversed(range(len(self._servers))):
            try:
                async with asyncio.timeout(self._connect_timeout):
                    self._connection = await HttpConnection.connect(
                        self._servers.current, self._tls
                    )
                return self._connection
            except (NotConnected, TimeoutError) as e:
                self._servers.move_on()
                if left == 0:
                    raise Unreachable(f"no server can be reached: {e}") from e
        raise AssertionError("there is at least one server")

    async def _hand(
        self, connection: HttpConnection, path: str, type: str, data: bytes
    ) -> None:
        answered = False
        try:
            fields = {**self._fields, "Content-Type": type}
            head = await connection.send("POST", path, fields, data)
            await connection.finish(head)
            answered = True
        except Broken as e:
            self._servers.move_on()
            raise OutcomeUnknown(f"the connection failed: {e}") from e
        finally:
            if not answered:  # also if it was cancelled: an answer may come
                self._forget()
        self._used_at = asyncio.get_running_loop().time()
        if head.status != 204:
            raise _refused(head)

    async def _stream(self, servers: Servers, target: str) -> _HttpStream:
        connection = await HttpConnection.connect(servers.current, self._tls)
        try:
            fields = {**self._fields, "Accept": self._door.accept}
            head = await connection.send("GET", target, fields)
            if head.status != 200:
                raise _refused(head)
        except BaseException:
            connection.close()
            raise
        reader = self._door.reader(self._message_bytes_max)
        return _HttpStream(connection, head, reader)

    def _forget(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


def _path(channel: str) -> str:
    if not _CHANNEL.fullmatch(channel):
        raise ValueError(f"channel {channel!r}: write other bytes as %XX")
    if any(_DOTS.fullmatch(level) for level in channel.split("/")):
        raise ValueError(f'channel {channel!r}: "." and ".." can\'t be sent')
    return f"/msgbus/{channel}"


def _list(patterns: Patterns) -> str:
    return patterns if isinstance(patterns, str) else ",".join(patterns)


def _refused(head: Head) -> Refused:
    temporary = head.status >= 500 or head.status == 429
    return Refused(f"{head.status} {head.reason}", temporary=temporary)
