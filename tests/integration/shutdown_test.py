# SPDX-License-Identifier: Apache-2.0
"""How a node ends when it is asked to: everybody is told, nothing is lost."""

import asyncio
import itertools
import signal
import unittest

from tests.integration.mq_case import MqCase
from tests.integration.mq_client import Disconnected, MqClient, Transport
from tests.integration.mq_frames import encode_message
from tests.integration.troupe_node import TroupeNode


class Shutdown(MqCase):
    """A node of its own for each test."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        self.node = TroupeNode()
        self.addCleanup(self.node.remove)
        self.node.start()

    async def exit_code(self):
        return await asyncio.to_thread(self.node.wait)

    async def test_clients_get_a_close_frame_and_no_quit(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            draft = await self.user("draft")
            websocket = await self.user(
                "ws", transport=Transport.WEBSOCKET
            )
            stranger = await self.connect()
            await stranger.register(self.name("late"), "n0")
            self.node.signal(number)
            self.assertEqual(await draft.read_to_end(), b"\x81\x00")
            self.assertEqual(await websocket.expect_end(), 1001)
            self.assertEqual(await stranger.read_to_end(), b"\x81\x00")
            self.assertEqual(await self.exit_code(), 0)
            await asyncio.to_thread(self.node.start)

    async def test_unread_messages_are_there_after_a_restart(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        for n in range(20):
            self.assert_ok(await alice.post({bob.uid: 1}, b"%d" % n))
        for n in range(5):
            await bob.take()
        head = await bob.expect("deliver")
        self.node.signal(signal.SIGTERM)
        await bob.expect_end()
        self.assertEqual(await self.exit_code(), 0)
        await asyncio.to_thread(self.node.start)
        bob = await self.again(bob)
        self.assertEqual((await bob.take()).raw, head.raw)
        for n in range(6, 20):
            self.assertEqual((await bob.take()).data, b"%d" % n)

    async def test_every_ack_given_while_stopping_is_true(self):
        bob = await self.user("bob", login=False)
        posters = [await self.user("poster") for _ in range(4)]
        acked = set()
        under_way = asyncio.Event()

        async def post(client):
            for n in itertools.count():
                text = f"{client.uid} {n}"
                client.write_bytes(
                    client.frame(
                        encode_message(
                            {"op": "post", "id": text, "to": {bob.uid: 1}},
                            data=text.encode(),
                        )
                    )
                )
                try:
                    answer = await client.receive()
                except (Disconnected, ConnectionError):
                    return
                if answer.op == "ack" and answer["type"] == "ok":
                    acked.add(answer["id"])
                if n == 20:
                    under_way.set()

        tasks = [asyncio.create_task(post(p)) for p in posters]
        await under_way.wait()
        self.node.signal(signal.SIGTERM)
        await asyncio.gather(*tasks)
        self.assertEqual(await self.exit_code(), 0)
        await asyncio.to_thread(self.node.start)
        bob = await self.again(bob)
        self.assert_ok(await bob.post({bob.uid: 1}, b"the end"))
        seen = set()
        while (message := await bob.take()).data != b"the end":
            seen.add(message.data.decode())
        self.assertEqual(acked - seen, set())

    async def test_second_signal_ends_at_once(self):
        await self.user("witness")
        self.node.signal(signal.SIGTERM)
        self.node.signal(signal.SIGTERM)
        # The drain may win the race; then all is as after one signal.
        self.assertIn(await self.exit_code(), (0, 130))
        await asyncio.to_thread(self.node.start)

    async def test_silent_client_does_not_hold_up_the_end(self):
        """It reads nothing and has a large delivery coming."""
        bob = await self.user("bob", receive_buffer=4096)
        alice = await self.user("alice")
        data = bytes(16 << 20)
        self.assert_ok(await alice.post({bob.uid: 1}, data))
        self.node.signal(signal.SIGTERM)
        self.assertEqual(await self.exit_code(), 0)
        await asyncio.to_thread(self.node.start)
        bob = await self.again(bob)
        self.assertTrue((await bob.take()).data == data)

    async def test_listeners_are_closed_while_draining(self):
        await self.user("witness")
        address = self.node.address()
        self.node.signal(signal.SIGTERM)
        await self.exit_code()
        with self.assertRaises(ConnectionRefusedError):
            await MqClient.connect(address)


if __name__ == "__main__":
    unittest.main()
