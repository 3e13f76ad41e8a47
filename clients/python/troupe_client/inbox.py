# SPDX-License-Identifier: Apache-2.0
"""The durable plane: a user's inbox as one of his devices sees it."""

import asyncio
import secrets
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from .backoff import Backoff, BackoffOptions
from .body import Data
from .change import Change, OnChange, State
from .deliveries import KINDS, Deliveries, Delivery
from .errors import Closed, Refused, TroupeError
from .link import Link, Lost
from .packets import NO_ETC, Packet, encode_packet
from .requests import Requests
from .servers import ServerList, Servers
from .waiting import within

# Below the ten minutes for which the broker recognises a repeated post.
TIMEOUT_MAX = 540.0
# A connection that held so long was a good one: the next try comes soon.
STEADY = 5.0
# What no other server, and no later time, answers otherwise.
FINAL = frozenset(
    (
        "invalid name",
        "new nodename required",
        "nodeId unknown",
        "not permitted",
        "userId inactive",
        "userId unknown",
    )
)
# Ends that have nothing to do with what was sent.
INNOCENT = frozenset(
    (
        "close timeout",
        "node already active",
        "server busy",
        "service unavailable",
        "shutdown",
        "timed out",
    )
)
# How long closing may take to tell the server of the last ack, in seconds.
FLUSH_TIME = 1.0

Names = str | Sequence[str]
# Users on all of their devices; or names by how they are meant: "to" and
# "one" (users, all or one of their devices), "list" and "list_with_me".
Recipients = Names | Mapping[str, Names]

_HOW = {"to": 1, "one": 0, "list": 2, "list_with_me": 3}


@dataclass(frozen=True)
class Receipt:
    id: str
    unreached: list[str]  # a line for each recipient that was not reached


class Inbox:
    """Keeps itself connected to any one of the servers until it is closed,
    goes on from the cursor, repeats what was not answered. Belongs to one
    event loop."""

    def __init__(
        self,
        servers: ServerList,
        *,
        user: str,
        device: str,
        create: bool = False,
        aliases: Names = (),
        cursor: int | None = None,
        window: int = 32,
        timeout: float = 30.0,
        connect_timeout: float = 10.0,
        keep_alive: float = 20.0,
        requests_max: int = 1024,
        request_bytes_max: int = 16 << 20,
        backoff: BackoffOptions | None = None,
        on_change: OnChange | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """The device's name is the credential. `cursor` is where an earlier
        run of the program stopped; `window` how many deliveries may be
        unacknowledged at once; `keep_alive` the seconds between pings, 0 for
        none."""
        if not user or not device:
            raise ValueError("user and device are needed")
        if window < 1:
            raise ValueError("window: from 1 on")
        self._servers = Servers(servers)
        self._user = user
        self._device = device
        self._create = create
        self._aliases = " ".join(_names(aliases))
        self._window = window
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._keep_alive = keep_alive
        self._backoff = Backoff(backoff)
        self._on_change = on_change
        self._tls = tls
        self._requests = Requests(requests_max, request_bytes_max, self._send)
        self._deliveries = Deliveries(self._schedule_ack, cursor)
        self._link: Link | None = None
        # Deliveries nobody has received yet, at most a window.
        self._ready: deque[Delivery] = deque()
        self._something = asyncio.Event()  # ready, or over
        self._logged_in = asyncio.Event()  # at least once, or over
        self._additions: deque[str] = deque()  # add_device that were sent
        self._state: State = "idle"
        self._ended: TroupeError | None = None
        self._runner: asyncio.Task[None] | None = None
        self._registered = False
        self._known = False  # has been logged in
        self._ack_due = False
        self._prefix = secrets.token_hex(12)
        self._count = 0

    @property
    def state(self) -> State:
        return self._state

    @property
    def cursor(self) -> int | None:
        """Position up to which everything was acknowledged; keep it and give
        it back as `cursor` to be told of gaps. None before the login."""
        return self._deliveries.cursor

    async def open(self, timeout: float | None = None) -> None:
        """Returns with the first login."""
        if self._runner is None and self._ended is None:
            self._runner = asyncio.create_task(self._run())
        await within(timeout, self._logged_in.wait())
        if self._ended:
            raise self._ended

    async def close(self) -> None:
        """What was acked is told to the server; what is not answered fails."""
        if self._ended is None:
            self._flush_ack()
            self._end(Closed("the inbox was closed"))
        if self._link:
            await self._link.close(FLUSH_TIME)
        runner = self._runner
        if runner and runner is not asyncio.current_task():
            runner.cancel()
            await asyncio.gather(runner, return_exceptions=True)

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # --- sending ---------------------------------------------------------

    async def post(
        self,
        to: Recipients,
        data: Data = b"",
        *,
        etc: Any = NO_ETC,
        ttl: float | None = None,
        id: str | None = None,
        copy_to_own_devices: bool = True,
        timeout: float | None = None,
    ) -> Receipt:
        """Returns once it is on stable storage. Who repeats a message (within
        ten minutes) under its id posts it once."""
        header: dict[str, Any] = {"op": "post", "id": id or self._next_id()}
        header["to"] = _recipients(to)
        if not copy_to_own_devices:
            header["noNodes"] = 1
        return await self._send_message(header, data, etc, ttl, timeout)

    async def ping(
        self,
        alias: str,
        data: Data = b"",
        *,
        etc: Any = NO_ETC,
        ttl: float | None = None,
        id: str | None = None,
        timeout: float | None = None,
    ) -> Receipt:
        """To whoever goes by that alias; etc and data are 4 KiB at most."""
        header = {"op": "ping", "id": id or self._next_id(), "alias": alias}
        return await self._send_message(header, data, etc, ttl, timeout)

    async def add_to_list(
        self, list: str, user: str, *, timeout: float | None = None
    ) -> None:
        await self._edit_list("add", list, user, timeout)

    async def invite_to_list(
        self,
        list: str,
        alias: str,
        data: Data = b"",
        *,
        etc: Any = NO_ETC,
        timeout: float | None = None,
    ) -> None:
        await self._edit_list("invite", list, alias, timeout, etc, data)

    async def remove_from_list(
        self, list: str, user: str, *, timeout: float | None = None
    ) -> None:
        await self._edit_list("remove", list, user, timeout)

    async def add_device(
        self, device: str, *, timeout: float | None = None
    ) -> None:
        """Another device, which inherits what this one has not
        acknowledged."""
        id = f"device {self._next_id()}"
        payload = encode_packet(
            {
                "op": "addNode",
                "userId": self._user,
                "newNode": device,
                "prevNode": self._device,
            }
        )
        await self._request(
            id,
            payload,
            timeout,
            repeatable=False,
            on_sent=lambda: self._additions.append(id),
        )

    # --- receiving -------------------------------------------------------

    async def receive(self, timeout: float | None = None) -> Delivery:
        """The next delivery. A wait that is cancelled takes none with it."""
        await within(timeout, self._wait_for_delivery())
        return self._ready.popleft()

    async def _wait_for_delivery(self) -> None:
        while not self._ready:
            if self._ended:
                raise self._ended
            self._something.clear()
            await self._something.wait()

    async def __aiter__(self) -> AsyncIterator[Delivery]:
        """Deliveries until the inbox is closed; leaving the loop leaves it
        open."""
        while True:
            try:
                delivery = await self.receive()
            except Closed:
                return
            yield delivery

    # --- requests --------------------------------------------------------

    async def _send_message(
        self,
        header: dict[str, Any],
        data: Data,
        etc: Any,
        ttl: float | None,
        timeout: float | None,
    ) -> Receipt:
        if ttl is not None:
            header["ttl"] = ttl
        header["dedup"] = True
        payload = encode_packet(header, etc, data)
        remark = await self._request(
            header["id"], payload, timeout, repeatable=True
        )
        return Receipt(header["id"], remark.split("\n") if remark else [])

    async def _edit_list(
        self,
        type: str,
        list: str,
        member: str,
        timeout: float | None,
        etc: Any = NO_ETC,
        data: Data = b"",
    ) -> None:
        id = self._next_id()
        payload = encode_packet(
            {
                "op": "listEdit",
                "id": id,
                "to": list,
                "type": type,
                "member": member,
            },
            etc,
            data,
        )
        await self._request(id, payload, timeout, repeatable=False)

    async def _request(
        self,
        id: str,
        payload: bytes,
        timeout: float | None,
        *,
        repeatable: bool,
        on_sent: Callable[[], None] | None = None,
    ) -> str:
        limit = self._timeout if timeout is None else timeout
        if not 0 < limit <= TIMEOUT_MAX:
            raise ValueError(f"timeout: above 0, at most {TIMEOUT_MAX} s")
        if self._ended:
            raise self._ended
        return await self._requests.ask(
            id, payload, repeatable=repeatable, timeout=limit, on_sent=on_sent
        )

    def _next_id(self) -> str:
        self._count += 1
        return f"{self._prefix}-{self._count}"

    def _send(self, payload: bytes) -> bool:
        if self._state != "open" or self._link is None:
            return False
        self._link.send(payload)
        return True

    # --- the connection --------------------------------------------------

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._ended is None:
                since = loop.time()
                await self._connection()
                if self._ended:
                    return
                if loop.time() - since >= STEADY:
                    self._backoff.reset()
                self._servers.move_on()
                await asyncio.sleep(self._backoff.next())
        except Exception as e:  # a mistake here must not leave anybody waiting
            self._end(TroupeError(f"the client failed: {e!r}"))
            raise

    async def _connection(self) -> None:
        """One connection from its first to its last byte."""
        self._change("connecting")
        try:
            async with asyncio.timeout(self._connect_timeout):
                self._link = await Link.connect(
                    self._servers.current,
                    keep_alive=self._keep_alive,
                    tls=self._tls,
                )
                await self._greet(self._link)
            while True:
                self._packet(await self._link.receive())
        except Lost as e:
            self._lost(e)
        except TimeoutError:
            self._lost(Lost(f"no connection in {self._connect_timeout} s"))
        finally:
            link, self._link = self._link, None
            if link:
                await link.close()

    async def _greet(self, link: Link) -> None:
        """Returns when the login is through."""
        if self._create and not self._registered:
            await self._register(link)
        login: dict[str, Any] = {
            "op": "login",
            "userId": self._user,
            "nodeId": self._device,
            "window": self._window,
        }
        if self.cursor is not None:
            login["resume"] = self.cursor
        link.send(encode_packet(login))
        header = (await link.receive()).header
        if header["op"] != "info":
            raise Lost(f"{header['op']} instead of the login's answer")
        self._known = True
        self._deliveries.connected()
        # After a gap another one.
        self._deliveries.cursor = header.get("position")
        self._change("open", gap=header.get("resume") == "gap")
        self._requests.connected()
        self._logged_in.set()

    async def _register(self, link: Link) -> None:
        link.send(
            encode_packet(
                {
                    "op": "register",
                    "userId": self._user,
                    "newNode": self._device,
                    "aliases": self._aliases,
                }
            )
        )
        header = (await link.receive()).header
        error = header.get("error")
        # That the user is there already is what was asked for.
        if error and error != "user exists":
            raise Lost(error, None, error)
        self._registered = True

    def _packet(self, packet: Packet) -> None:
        header = packet.header
        if header["op"] == "ack":
            self._requests.answered(header)
        elif header["op"] == "added":
            if self._additions:
                error = header.get("error")
                answer = {
                    "id": self._additions.popleft(),
                    "type": "error" if error else "ok",
                    "error": error,
                }
                self._requests.answered(answer)
        elif header["op"] in KINDS and isinstance(header.get("id"), str):
            if delivery := self._deliveries.arrived(packet):
                self._ready.append(delivery)
                self._something.set()

    def _lost(self, why: Lost) -> None:
        if self._ended:
            return
        was_open = self._state == "open"
        self._change("waiting", reason=why.reason)
        self._additions.clear()
        if was_open:
            complaint = why.code == 1009 or (
                why.quit is not None and why.quit not in INNOCENT
            )
            self._requests.disconnected(why.reason, complaint)
        # Another node may not know yet what this user's first one does.
        elif why.quit in FINAL and not self._known:
            self._end(Refused(why.reason))

    def _end(self, error: TroupeError) -> None:
        if self._ended:
            return
        self._change("closed", reason=str(error))
        self._ended = error
        self._requests.end(error)
        self._something.set()
        self._logged_in.set()

    def _schedule_ack(self) -> None:
        """One ack for all that were acked in this turn."""
        if not self._ack_due:
            self._ack_due = True
            asyncio.get_running_loop().call_soon(self._flush_ack)

    def _flush_ack(self) -> None:
        self._ack_due = False
        id = self._deliveries.take_ack()
        if id is not None:
            self._send(encode_packet({"op": "ack", "id": id, "type": "ok"}))

    def _change(
        self, state: State, reason: str | None = None, gap: bool = False
    ) -> None:
        if self._state == "closed":
            return
        self._state = state
        if self._on_change:
            name = self._servers.current.name
            self._on_change(Change(state, name, reason, gap))


def _names(given: Names) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _recipients(to: Recipients) -> dict[str, int]:
    groups = to if isinstance(to, Mapping) else {"to": to}
    out: dict[str, int] = {}
    for group, names in groups.items():
        if group not in _HOW:
            raise ValueError(f"recipients: {group} is none of {list(_HOW)}")
        for name in _names(names):
            if out.setdefault(name, _HOW[group]) != _HOW[group]:
                raise ValueError(f"recipients: {name} is there in two ways")
    return out
