# SPDX-License-Identifier: Apache-2.0
"""Bounds that a node holds against whoever connects, and that the others do
not notice."""

import asyncio
import random
import struct
import time
import unittest

from tests.integration.mq_case import MqCase, eventually
from tests.integration.mq_client import (
    DEADLINE,
    Disconnected,
    MqClient,
    Transport,
)
from tests.integration.mq_frames import (
    draft_frame,
    encode_message,
    websocket_frame,
)

MIB = 1 << 20


class Limits(MqCase):
    settings = {
        "listen.mq": "127.0.0.1:0",
        "mq.login_timeout": "1s",
        "mq.message_bytes_max": "1MiB",
        "ws.header_bytes_max": "4KiB",
    }

    async def test_login_timeout_is_a_setting(self):
        for transport, listener in (
            (Transport.DRAFT, "mq"),
            (Transport.WEBSOCKET, "public"),
        ):
            client = await self.connect(transport, listener)
            await client.expect_quit("close timeout")

    async def test_message_above_the_limit_is_refused_by_its_header(self):
        witness = await self.user("witness")
        for length in (MIB + 200, (1 << 31) - 1, (1 << 32) - 1):
            alice = await self.user("alice")
            await alice.send_bytes(b"\x85\x7f" + struct.pack(">Q", length))
            await alice.expect_quit()
            alice = await self.user("alice", transport=Transport.WEBSOCKET)
            await alice.send_bytes(
                b"\x82\xff" + struct.pack(">Q", length) + b"mask"
            )
            while (frame := await alice.receive_frame()).opcode != 8:
                pass
            self.assertEqual(frame.payload[:2], struct.pack(">H", 1009))
        await self.assert_next_is_marker(witness, witness)

    async def test_message_at_the_limit_is_taken(self):
        for transport in Transport:
            alice = await self.user("alice", transport=transport)
            header = {"op": "post", "id": "1", "to": {alice.uid: 1}}
            room = MIB - len(encode_message(header))
            self.assert_ok(
                await alice.post({alice.uid: 1}, bytes(room), id="1")
            )
            self.assertEqual(len((await alice.take()).data), room)

    async def test_fragments_count_together(self):
        alice = await self.user("alice", transport=Transport.WEBSOCKET)
        try:
            await alice.send_bytes(websocket_frame(b"x", final=False))
            for _ in range(40):
                await alice.send_bytes(
                    websocket_frame(bytes(MIB // 32), opcode=0, final=False)
                )
        except ConnectionError:
            pass
        try:
            while (frame := await alice.receive_frame()).opcode != 8:
                pass
            self.assertEqual(frame.payload[:2], struct.pack(">H", 1009))
        except (Disconnected, ConnectionResetError):
            pass  # cut off with our bytes under way

    async def test_ping_above_its_limit(self):
        alias = self.name("bobby")
        await self.user("bob", aliases=alias)
        alice = await self.user("alice")
        self.assert_ok(await alice.ping(alias, bytes(4096)))
        self.assert_error(
            await alice.ping(alias, bytes(4097)), "ping too large"
        )

    async def test_http_header_above_the_limit(self):
        client = await self.connect()
        await client.send_bytes(
            b"GET /mq HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 8192
        )
        answer = await client.read_to_end()
        self.assertTrue(answer.startswith(b"HTTP/1.1 431"), answer[:60])

    async def test_endless_http_header_is_cut_off(self):
        client = await self.connect()
        try:
            await client.send_bytes(b"GET /mq HTTP/1.1\r\n")
            for n in range(10_000):
                await client.send_bytes(b"X-%d: y\r\n" % n)
        except ConnectionError:
            pass
        else:
            self.assertIn(b"431", await client.read_to_end())

    async def test_slow_loris(self):
        """A byte now and then does not buy time."""
        witness = await self.user("witness")
        request = b"GET /mq HTTP/1.1\r\nHost: " + b"x" * 2000
        frame = draft_frame(
            encode_message({"op": "register", "userId": "x" * 2000})
        )
        await asyncio.gather(
            *(self.drip(stream) for stream in (request, frame) * 5)
        )
        await self.assert_next_is_marker(witness, witness)

    async def drip(self, stream):
        client = await self.connect()
        end = asyncio.create_task(client.read_to_end())
        try:
            for byte in stream:
                await client.send_bytes(bytes((byte,)))
                await asyncio.wait((end,), timeout=0.05)
                if end.done():
                    break
            self.assertTrue(end.done(), "2000 slow bytes were waited for")
        except ConnectionError:
            pass
        await asyncio.gather(end, return_exceptions=True)

    async def test_two_hundred_half_open_connections(self):
        witness = await self.user("witness")
        starts = (
            b"",
            b"\x85",
            b"\x85\x7f\x00\x00",
            draft_frame(b"x" * 300)[:100],
            b"GET /mq HT",
            b"GET /mq HTTP/1.1\r\nUpgrade: websocket\r\n",
        )
        clients = [await self.connect() for _ in range(200)]
        for n, client in enumerate(clients):
            await client.send_bytes(starts[n % len(starts)])
        await self.assert_next_is_marker(witness, witness)
        await asyncio.gather(*(c.read_to_end() for c in clients))
        await self.assert_next_is_marker(witness, witness)

    async def test_garbage_is_shown_the_door(self):
        witness = await self.user("witness")
        seed = random.SystemRandom().randrange(1 << 32)
        print(f"\nseed {seed}")
        chance = random.Random(seed)
        for n in range(300):
            client = await self.connect()
            junk = chance.randbytes(chance.randint(1, 2000))
            if n % 3 == 0:
                junk = b"\x85" + junk  # well begun
            elif n % 3 == 1:
                junk = draft_frame(junk)  # well framed
            try:
                await client.send_bytes(junk)
                await client.read_to_end()
            except ConnectionError:
                pass
        await self.assert_next_is_marker(witness, witness)

    async def test_broken_messages_never_reach_beyond_their_connection(self):
        """Good messages with a few bytes changed."""
        witness = await self.user("witness")
        seed = random.SystemRandom().randrange(1 << 32)
        print(f"\nseed {seed}")
        chance = random.Random(seed)
        good = [
            {"op": "post", "id": "1", "to": {"x": 1}, "etc": 4},
            {"op": "ping", "id": "1", "alias": "x"},
            {"op": "listEdit", "id": "1", "to": "l", "type": "add",
             "member": "x"},
            {"op": "ack", "id": "1-0", "type": "ok"},
            {"op": "register", "userId": "", "newNode": "", "aliases": ""},
        ]
        for _ in range(200):
            client = await self.user("broken")
            for _ in range(5):
                message = bytearray(encode_message(chance.choice(good)))
                for _ in range(chance.randint(1, 4)):
                    place = chance.randrange(len(message))
                    message[place] = chance.randrange(256)
                client.write_bytes(client.frame(bytes(message)))
            try:
                await client.send_bytes(client.close_frame())
                await client.read_to_end()
            except ConnectionError:
                pass
        self.assertTrue(self.node.running())
        await self.assert_next_is_marker(witness, witness)


class ConnectionLimits(MqCase):
    settings = {"listen.connections_per_address_max": "5"}

    async def refused(self, **options):
        client = await MqClient.connect(self.node.address(), **options)
        self.addCleanup(client.vanish)
        try:
            return await client.read_to_end() == b""
        except ConnectionError:
            return True

    async def admitted(self, uid):
        """A worker tells its agent of the place that is free again."""
        end = time.monotonic() + DEADLINE
        while True:
            try:
                return await self.user(uid)
            except (AssertionError, ConnectionError):
                if time.monotonic() > end:
                    raise

    async def test_connections_per_address(self):
        first = [await self.user("one") for _ in range(5)]
        self.assertTrue(await self.refused())
        # Another address has its own count, and the five are unharmed.
        other = await self.user("other", source="127.0.0.2")
        for client in first:
            await self.assert_next_is_marker(other, client)
        await first.pop().close()
        last = await self.admitted("last")
        await self.assert_next_is_marker(other, last)
        self.assertTrue(await self.refused())

        def counted():
            return any(
                "refus" in name or "reject" in name
                for name, value in self.node.metrics().items()
                if value >= 2
            )

        await eventually(counted)


class LoginRate(MqCase):
    settings = {"mq.login_rate_per_address": "5"}

    async def test_guessing_device_names_is_slowed_down(self):
        bob = await self.user("bob", source="127.0.0.5")
        texts = []
        for n in range(10):
            client = await self.connect(source="127.0.0.3")
            await client.send(
                "login", userId=bob.uid, nodeId=f"guess{n}"
            )
            texts.append(await client.expect_quit())
        self.assertEqual(texts[:5], ["nodeId unknown"] * 5)
        self.assertNotIn("nodeId unknown", texts[6:])
        # Others are let in.
        await self.user("carol", source="127.0.0.4")


if __name__ == "__main__":
    unittest.main()
