# SPDX-License-Identifier: Apache-2.0
"""As much of HTTP/1.1 as channels need, over asyncio's streams."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Self

from .errors import TroupeError
from .servers import Server

HEAD_BYTES_MAX = 65_536
LINE_BYTES_MAX = 4096
READ_BYTES = 65_536
# What is read of the body of a refusal.
ANSWER_BYTES_MAX = 65_536


class NotConnected(TroupeError):
    """INTERNAL: nothing was sent."""


class Broken(TroupeError):
    """INTERNAL: the connection ended, or the server speaks no HTTP."""


@dataclass(frozen=True)
class Head:
    status: int
    reason: str
    fields: dict[str, str]  # names in lower case

    @property
    def chunked(self) -> bool:
        return self.fields.get("transfer-encoding", "").lower() == "chunked"

    @property
    def closes(self) -> bool:
        return self.fields.get("connection", "").lower() == "close"


class HttpConnection:
    """One request after the other."""

    def __init__(
        self,
        server: Server,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.server = server
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(
        cls, server: Server, tls: ssl.SSLContext | None
    ) -> Self:
        context = None
        if server.secure:
            context = tls or ssl.create_default_context()
        try:
            reader, writer = await asyncio.open_connection(
                server.host, server.port, ssl=context, limit=HEAD_BYTES_MAX
            )
        except (OSError, ssl.SSLError) as e:
            raise NotConnected(f"{server.name}: {e}") from e
        return cls(server, reader, writer)

    @property
    def usable(self) -> bool:
        """As far as it can be seen from here."""
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def send(
        self,
        method: str,
        path: str,
        fields: dict[str, str],
        body: bytes | None = None,
    ) -> Head:
        """The head of the answer."""
        lines = [
            f"{method} {self.server.base}{path} HTTP/1.1",
            f"Host: {self.server.name}",
            *(f"{name}: {value}" for name, value in fields.items()),
        ]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a line end in a field of the request")
        head = "\r\n".join(lines) + "\r\n\r\n"
        try:
            self._writer.write(head.encode() + (body or b""))
            await self._writer.drain()
            raw = await self._reader.readuntil(b"\r\n\r\n")
        except (
            OSError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ) as e:
            raise Broken(f"{self.server.name}: {e}") from e
        return self._parsed(raw.decode("latin-1"))

    def _parsed(self, raw: str) -> Head:
        first, *rest = raw.rstrip("\r\n").split("\r\n")
        version, _, status = first.partition(" ")
        code, _, reason = status.partition(" ")
        if not version.startswith("HTTP/1.") or not code.isdecimal():
            raise Broken(f"{self.server.name} speaks no HTTP")
        fields: dict[str, str] = {}
        for line in rest:
            name, _, value = line.partition(":")
            fields.setdefault(name.strip().lower(), value.strip())
        return Head(int(code), reason, fields)

    async def finish(self, head: Head) -> None:
        """Reads over the body of a short answer."""
        length = head.fields.get("content-length", "")
        size = int(length) if length.isdecimal() else ANSWER_BYTES_MAX + 1
        if head.closes or size > ANSWER_BYTES_MAX:
            self.close()
            return
        try:
            await self._reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError):
            self.close()

    async def read_some(self, head: Head) -> bytes:
        """More of a body that goes on and on; b"" at its end."""
        try:
            if not head.chunked:
                return await self._reader.read(READ_BYTES)
            return await self._chunk()
        except (
            OSError,
            ValueError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
        ) as e:
            raise Broken(f"{self.server.name}: {e}") from e

    _left = 0  # of a chunk that is larger than a read

    async def _chunk(self) -> bytes:
        if self._left == 0:
            line = await self._reader.readuntil(b"\r\n")
            self._left = int(line.split(b";")[0], 16)
            if self._left < 0:
                raise ValueError("a chunk of negative size")
            if self._left == 0:
                return b""
        data = await self._reader.read(min(self._left, READ_BYTES))
        if not data:
            raise asyncio.IncompleteReadError(b"", self._left)
        self._left -= len(data)
        if self._left == 0:
            await self._reader.readexactly(2)
        return data

    def close(self) -> None:
        self._writer.close()
