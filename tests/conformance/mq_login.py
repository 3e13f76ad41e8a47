# SPDX-License-Identifier: Apache-2.0
"""Logging in: duplicates, unknown names, the time allowed (WMQ-03 to 05)."""

import asyncio
import time
import unittest

from tests.integration.mq_case import MqCase, scheduling_lag
from tests.integration.mq_client import Transport


class LoginRows:
    settings = {"listen.mq": "127.0.0.1:0"}
    silent_at = "public"

    async def test_wmq_03_duplicate_login(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        second = await self.connect()
        await second.send("login", userId=bob.uid, nodeId="n0")
        await second.expect_quit("node already active")
        await self.assert_next_is_marker(alice, bob)

    async def test_wmq_03_second_login_on_one_connection(self):
        bob = await self.user("bob")
        await bob.add_node(bob.uid, "n1", "n0")
        await bob.send("login", userId=bob.uid, nodeId="n0")
        await bob.expect_quit("node already active")
        # The original lets the next one in and leaks the first login.
        bob = await self.again(bob)
        await bob.send("login", userId=bob.uid, nodeId="n1")
        await bob.expect_quit()
        await self.again(bob)
        bob.device = "n1"
        await self.again(bob)

    async def test_wmq_03_device_is_free_after_a_close(self):
        bob = await self.user("bob")
        for _ in range(20):
            await bob.close()
            bob = await self.again(bob)

    async def test_wmq_03_device_is_free_after_a_lost_connection(self):
        bob = await self.user("bob")
        bob.vanish()
        bob = await self.once_free(bob)
        bob.reset()
        await self.once_free(bob)

    async def test_wmq_04_unknown_user(self):
        client = await self.connect()
        await client.send("login", userId=self.name("ghost"), nodeId="n0")
        await client.expect_quit("userId unknown")

    async def test_wmq_04_unknown_node(self):
        bob = await self.user("bob", login=False)
        client = await self.connect()
        await client.send("login", userId=bob.uid, nodeId="n9")
        await client.expect_quit("nodeId unknown")

    async def closed_after(self, client):
        begin = time.monotonic()
        async with scheduling_lag() as lag:
            await client.expect_quit("close timeout")
        return time.monotonic() - begin, lag.worst

    async def test_wmq_05_login_timeout(self):
        silent = await self.connect(listener=self.silent_at)
        registered = await self.connect()
        await registered.register(self.name("late"), "n0")
        for seconds, lag in await asyncio.gather(
            self.closed_after(silent), self.closed_after(registered)
        ):
            # Both timers began a moment before the measurement did.
            self.assertGreaterEqual(seconds, 5.5)
            self.assertLessEqual(seconds, 6.5 + lag)

    async def test_wmq_05_no_timeout_after_login(self):
        bob = await self.user("bob")
        stranger = await self.connect(listener=self.silent_at)
        await stranger.expect_quit("close timeout")
        await self.assert_next_is_marker(bob, bob)


class LoginOverDraft(LoginRows, MqCase):
    # The public port can't know yet what a silent client speaks.
    silent_at = "mq"

    async def test_wmq_05_silence_on_the_public_port_ends(self):
        client = await self.connect()
        self.assertEqual(await client.read_to_end(), b"")


class LoginOverWebSocket(LoginRows, MqCase):
    transport = Transport.WEBSOCKET


if __name__ == "__main__":
    unittest.main()
