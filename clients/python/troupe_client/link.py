# SPDX-License-Identifier: Apache-2.0
"""One WebSocket connection to /mq."""

import asyncio
import ssl
from typing import Any, Self

import websockets
from websockets.exceptions import ConnectionClosed, WebSocketException

from .errors import TroupeError
from .packets import Packet, decode_packet
from .servers import Server

# Loaded on first use by the package, which type checkers do not see.
_connect: Any = getattr(websockets, "connect")


class Lost(TroupeError):
    """INTERNAL: it is over. `quit` is the server's own word for the reason."""

    def __init__(
        self, reason: str, code: int | None = None, quit: str | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.quit = quit


class Link:
    """Sends in the background, in order; what waits is bounded by who sends.
    Every error of the network is Lost."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._out: asyncio.Queue[bytes] = asyncio.Queue()
        self._writer = asyncio.create_task(self._write())

    @classmethod
    async def connect(
        cls, server: Server, *, keep_alive: float, tls: ssl.SSLContext | None
    ) -> Self:
        options: dict[str, Any] = {"ssl": tls} if tls and server.secure else {}
        try:
            socket = await _connect(
                server.websocket("/mq"),
                compression=None,
                max_size=None,  # the node's setting is the bound
                open_timeout=None,  # the caller's
                close_timeout=1,
                ping_interval=keep_alive or None,
                ping_timeout=keep_alive or None,
                **options,
            )
        except (OSError, EOFError, WebSocketException) as e:
            raise Lost(str(e) or type(e).__name__) from e
        return cls(socket)

    def send(self, payload: bytes) -> None:
        self._out.put_nowait(payload)

    async def receive(self) -> Packet:
        try:
            payload = await self._socket.recv()
            if not isinstance(payload, bytes):
                raise Lost("the server sent a text message")
            packet = decode_packet(payload)
        except ConnectionClosed as e:
            code = e.rcvd.code if e.rcvd else 1006
            raise Lost(f"closed with code {code}", code) from e
        except TroupeError as e:
            raise Lost(str(e)) from e
        if packet.header["op"] == "quit":
            info = str(packet.header.get("info", "quit"))
            raise Lost(info, None, info)
        return packet

    async def close(self, flush: float = 0) -> None:
        """Within `flush` seconds what waits is sent before."""
        try:
            if flush and not self._writer.done():
                async with asyncio.timeout(flush):
                    await self._out.join()
        except TimeoutError:
            pass
        finally:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
            await self._socket.close()

    async def _write(self) -> None:
        try:
            while True:
                await self._socket.send(await self._out.get())
                self._out.task_done()
        except ConnectionClosed:
            pass  # receive() says so, too
