# SPDX-License-Identifier: Apache-2.0
"""A websocket.MQ client for tests: draft frames over raw sockets and the same
messages over RFC 6455, with access to every byte.

Its frames and messages are in mq_frames.py. MqClient owns one connection on the
running asyncio loop; every wait has a deadline, and running out of it is a test
failure, never a way to pass.
"""

import asyncio
import base64
import enum
import hashlib
import itertools
import os
import socket
import struct
from collections import deque

from tests.integration.mq_frames import (
    ABSENT,
    decode_message,
    draft_frame,
    encode_message,
    take_frame,
    websocket_frame,
)

# Only bounds how long a failure takes; raise it on very slow machines.
DEADLINE = float(os.environ.get("TROUPE_TEST_DEADLINE", "30"))

READ_BYTES = 256 * 1024
WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Transport(enum.Enum):
    DRAFT = "draft frames"
    WEBSOCKET = "RFC 6455"


class Disconnected(ConnectionError):
    """The server has ended the connection."""

    def __init__(self, close_frame, code=None):
        how = f"close frame, code {code}" if close_frame else "no close frame"
        super().__init__(f"the server ended the connection ({how})")
        self.close_frame = close_frame
        self.code = code


class MqClient:
    """One connection. `expect` keeps what it passes over, `receive` insists
    on the very next message."""

    def __init__(self, reader, writer, transport):
        self.transport = transport
        self.uid = None
        self.device = None
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._fragments = None
        self._kept = deque()
        self._ids = itertools.count(1)

    @classmethod
    async def connect(
        cls,
        address,
        transport=Transport.DRAFT,
        *,
        tls=None,
        prelude=b"",
        source=None,
        receive_buffer=None,
        path="/mq",
        headers=(),
    ):
        """`prelude` is sent ahead of everything (a PROXY header); `source` is
        a local address to come from."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            if receive_buffer is not None:
                sock.setsockopt(
                    socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer
                )
            if source is not None:
                sock.bind((source, 0))
            loop = asyncio.get_running_loop()
            await asyncio.wait_for(loop.sock_connect(sock, address), DEADLINE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if prelude:
                await loop.sock_sendall(sock, prelude)
            reader, writer = await asyncio.wait_for(
                asyncio.open_connection(
                    sock=sock,
                    ssl=tls,
                    server_hostname="localhost" if tls else None,
                    limit=READ_BYTES,
                ),
                DEADLINE,
            )
        except BaseException:
            sock.close()
            raise
        client = cls(reader, writer, transport)
        if transport is Transport.WEBSOCKET:
            try:
                await client.upgrade(path, headers)
            except BaseException:
                client.vanish()
                raise
        return client

    # --- bytes -----------------------------------------------------------

    async def send_bytes(self, raw):
        self._writer.write(raw)
        await self._writer.drain()

    def write_bytes(self, raw):
        """Queues without waiting for the peer to take it."""
        self._writer.write(raw)

    async def read_bytes(self, deadline=DEADLINE):
        """What the server sends next, unframed; b"" at its FIN."""
        if self._buffer:
            chunk, self._buffer = bytes(self._buffer), bytearray()
            return chunk
        return await asyncio.wait_for(self._reader.read(READ_BYTES), deadline)

    async def read_to_end(self, deadline=DEADLINE):
        everything = bytearray()
        while chunk := await self.read_bytes(deadline):
            everything += chunk
        return bytes(everything)

    def frame(self, payload):
        if self.transport is Transport.DRAFT:
            return draft_frame(payload)
        return websocket_frame(payload)

    def close_frame(self, code=1000):
        if self.transport is Transport.DRAFT:
            return b"\x81\x00"
        return websocket_frame(struct.pack(">H", code), opcode=8)

    def peer_certificate(self):
        return self._writer.get_extra_info("ssl_object").getpeercert(True)

    def local_address(self):
        return self._writer.get_extra_info("sockname")

    # --- RFC 6455 --------------------------------------------------------

    async def upgrade(self, path, headers=()):
        status, answer = await self.request_upgrade(path, headers)
        if status != 101:
            raise AssertionError(f"upgrade of {path} answered {status}")
        return answer

    async def request_upgrade(self, path, headers=()):
        """Returns the status and the header fields (lower case names)."""
        key = base64.b64encode(os.urandom(16))
        lines = [
            f"GET {path} HTTP/1.1",
            "Host: localhost",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: " + key.decode(),
            *headers,
        ]
        await self.send_bytes(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = await asyncio.wait_for(
            self._reader.readuntil(b"\r\n\r\n"), DEADLINE
        )
        first, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        status = int(first.split(" ")[1])
        fields = {}
        for line in rest:
            name, _, value = line.partition(":")
            fields[name.strip().lower()] = value.strip()
        if status == 101:
            digest = hashlib.sha1(key + WEBSOCKET_GUID).digest()
            accept = base64.b64encode(digest).decode()
            if fields.get("sec-websocket-accept") != accept:
                raise AssertionError("wrong Sec-WebSocket-Accept")
        return status, fields

    # --- messages --------------------------------------------------------

    async def send(self, op, etc=ABSENT, data=b"", **fields):
        await self.send_bytes(
            self.frame(encode_message({"op": op, **fields}, etc, data))
        )

    async def receive_frame(self, deadline=DEADLINE):
        """The next frame of any kind, once it is whole."""
        async with asyncio.timeout(deadline):
            while (frame := take_frame(self._buffer)) is None:
                chunk = await self._reader.read(READ_BYTES)
                if not chunk:
                    raise Disconnected(close_frame=False)
                self._buffer += chunk
        return frame

    async def receive(self, deadline=DEADLINE):
        """The next message; Disconnected once the connection has ended."""
        if self._kept:
            return self._kept.popleft()
        return await self._receive_new(deadline)

    async def _receive_new(self, deadline):
        while True:
            frame = await self.receive_frame(deadline)
            if self.transport is Transport.DRAFT:
                payload = await self._draft_payload(frame, deadline)
            else:
                payload = await self._websocket_payload(frame, deadline)
            if payload is not None:
                return decode_message(payload, frame.raw)

    async def _draft_payload(self, frame, deadline):
        if frame.raw == b"\x81\x00":
            await self._ended(deadline, None)
        if frame.first != 0x85:
            raise AssertionError(f"frame starts with {frame.first:#x}")
        return frame.payload

    async def _websocket_payload(self, frame, deadline):
        if frame.opcode == 8:
            code = None
            if len(frame.payload) >= 2:
                code = struct.unpack(">H", frame.payload[:2])[0]
            self.write_bytes(websocket_frame(frame.payload[:2], opcode=8))
            await self._ended(deadline, code)
        if frame.opcode == 9:
            await self.send_bytes(websocket_frame(frame.payload, opcode=10))
            return None
        if frame.opcode == 10:
            return None
        if frame.opcode == 0:
            self._fragments += frame.payload
        else:
            if frame.opcode != 2:
                raise AssertionError(f"opcode {frame.opcode} from the server")
            self._fragments = bytearray(frame.payload)
        if not frame.first & 0x80:
            return None
        payload, self._fragments = bytes(self._fragments), None
        return payload

    async def _ended(self, deadline, code):
        try:
            rest = bytes(self._buffer) + await self.read_to_end(deadline)
        except ConnectionResetError:
            rest = b""
        if rest:
            raise AssertionError(f"{len(rest)} bytes behind the close frame")
        raise Disconnected(close_frame=True, code=code)

    async def expect(self, op, **fields):
        """The first message of that op with these header fields."""
        for message in self._kept:
            if matches(message, op, fields):
                self._kept.remove(message)
                return message
        while True:
            try:
                message = await self._receive_new(DEADLINE)
            except (Disconnected, TimeoutError) as e:
                seen = "; ".join(map(str, self._kept)) or "nothing"
                raise AssertionError(
                    f"waiting for {op} {fields}: {e!r}; kept: {seen}"
                ) from e
            if matches(message, op, fields):
                return message
            if message.op == "quit":
                raise AssertionError(f"waiting for {op}, got {message}")
            self._kept.append(message)

    async def expect_quit(self, info=None):
        """A quit and then the end; returns its text."""
        message = await self.receive()
        if message.op != "quit":
            raise AssertionError(f"expected quit, got {message}")
        if info is not None and message["info"] != info:
            raise AssertionError(f"quit says {message['info']!r}, not {info!r}")
        await self.expect_end()
        return message["info"]

    async def expect_end(self):
        """A close frame, then FIN, and nothing else; returns the code."""
        try:
            message = await self.receive()
        except Disconnected as e:
            if not e.close_frame:
                raise AssertionError("FIN without a close frame") from e
            return e.code
        raise AssertionError(f"expected the end, got {message}")

    def kept(self):
        """What `expect` has passed over so far."""
        return list(self._kept)

    # --- requests --------------------------------------------------------

    def next_id(self):
        return f"c{next(self._ids)}"

    async def register(self, uid, device, aliases=""):
        await self.send(
            "register", userId=uid, newNode=device, aliases=aliases
        )
        return await self.expect("registered")

    async def login(self, uid, device, **more):
        await self.send("login", userId=uid, nodeId=device, **more)
        answer = await self.expect("info")
        if answer["info"] != "ok login":
            raise AssertionError(f"login answered {answer}")
        self.uid, self.device = uid, device
        return answer

    async def add_node(self, uid, device, previous):
        await self.send(
            "addNode", userId=uid, newNode=device, prevNode=previous
        )
        return await self.expect("added")

    async def post(self, to, data=b"", id=None, etc=ABSENT, **more):
        """Returns the server's ack."""
        id = self.next_id() if id is None else id
        await self.send("post", etc, data, id=id, to=to, **more)
        return await self.expect("ack", id=id)

    async def ping(self, alias, data=b"", etc=ABSENT, **more):
        id = self.next_id()
        await self.send("ping", etc, data, id=id, alias=alias, **more)
        return await self.expect("ack", id=id)

    async def edit_list(self, name, type, member, data=b"", etc=ABSENT):
        id = self.next_id()
        await self.send(
            "listEdit", etc, data, id=id, to=name, type=type, member=member
        )
        return await self.expect("ack", id=id)

    async def acknowledge(self, message, type="ok"):
        await self.send("ack", id=message["id"], type=type)

    async def take(self, op="deliver"):
        """The next message of that op, acknowledged."""
        message = await self.expect(op)
        await self.acknowledge(message)
        return message

    # --- the end ---------------------------------------------------------

    async def close(self):
        """The polite end: close frame, its answer, FIN."""
        await self.send_bytes(self.close_frame())
        while True:
            try:
                await self.receive()
            except Disconnected as e:
                self.vanish()
                return e

    def vanish(self):
        """Ends the socket without a word."""
        self._writer.close()

    def reset(self):
        """Ends the socket with RST."""
        sock = self._writer.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        self._writer.transport.abort()


def matches(message, op, fields):
    return message.op == op and all(
        message.get(name) == value for name, value in fields.items()
    )


async def first_of(clients, op="deliver"):
    """(client, message) of whoever gets a message of that op first."""
    tasks = {asyncio.create_task(c.expect(op)): c for c in clients}
    try:
        done, _ = await asyncio.wait(
            tasks, return_when=asyncio.FIRST_COMPLETED
        )
        task = next(iter(done))
        return tasks[task], task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
