# SPDX-License-Identifier: Apache-2.0
"""Clients that do not read: bounded in memory, not flooded, no burden to
others."""

import asyncio
import unittest

from tests.integration.mq_case import MqCase
from tests.integration.mq_client import Transport
from tests.integration.mq_frames import encode_message
from tests.integration.troupe_node import MEMORY_IS_COMPARABLE

MIB = 1 << 20


class SlowReaderRows:
    settings = {"mq.retry_interval": "300ms"}

    def assert_grown_less(self, before, limit):
        if MEMORY_IS_COMPARABLE:
            self.assertLess(self.node.private_bytes() - before, limit)

    async def test_retry_waits_until_the_first_copy_is_flushed(self):
        """16 MiB do not fit into the sockets, so the retry timer must not
        have begun; a flood would put five copies behind the first. Who needs
        longer than an interval to read the end gets a repeat or two."""
        alice = await self.user("alice")
        bob = await self.user("bob", receive_buffer=4096)
        self.assert_ok(await alice.post({bob.uid: 1}, bytes(16 * MIB)))
        self.assert_ok(await alice.post({bob.uid: 1}, b"next"))
        await asyncio.sleep(1.5)  # five intervals without reading
        first = await bob.take()
        self.assertEqual(len(first.data), 16 * MIB)
        copies = 0
        while (following := await bob.take()).data != b"next":
            self.assertEqual(following["id"], first["id"])
            copies += 1
        self.assertLess(copies, 4)

    async def test_backlog_stays_out_of_memory(self):
        alice = await self.user("alice")
        slow = [
            await self.user("slow", receive_buffer=4096) for _ in range(4)
        ]
        quick = await self.user("quick")
        # Something in every cache before the measurement.
        self.assert_ok(await alice.post({quick.uid: 1}, bytes(4 * MIB)))
        await quick.take()
        before = self.node.private_bytes()
        to = {s.uid: 1 for s in slow}
        for n in range(200):
            self.assert_ok(await alice.post(to, bytes(MIB)))
            if n % 10 == 0:
                await self.assert_next_is_marker(alice, quick)
        # 800 MiB wait for the slow ones, on disk. What is in memory is what
        # is under way to sockets, not yet committed to the state, and what the
        # allocator keeps of the burst.
        self.assert_grown_less(before, 400 * MIB)
        for client in slow:
            for _ in range(200):
                self.assertEqual(len((await client.take()).data), MIB)

    async def test_client_that_never_takes_its_answers(self):
        """Requests without reading the acks: the node stops to read before it
        has to grow, and goes on when the client reads."""
        alice = await self.user("alice", receive_buffer=4096)
        witness = await self.user("witness")
        post = encode_message(
            {"op": "post", "id": "x" * 1000, "to": {}, "noNodes": 1}
        )
        before = self.node.private_bytes()
        count = 20_000
        for _ in range(count):
            alice.write_bytes(alice.frame(post))
        await self.assert_next_is_marker(witness, witness)
        self.assert_grown_less(before, 128 * MIB)
        for _ in range(count):
            self.assert_error(await alice.receive(), "msg lacks recipients")


class SlowReaderOverDraft(SlowReaderRows, MqCase):
    pass


class SlowReaderOverWebSocket(SlowReaderRows, MqCase):
    transport = Transport.WEBSOCKET


if __name__ == "__main__":
    unittest.main()
