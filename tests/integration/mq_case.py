# SPDX-License-Identifier: Apache-2.0
"""What tests of a running node share: a node for each class, users with
names of their own, and ways to say "nothing else arrives" without a clock."""

import asyncio
import contextlib
import itertools
import time
import unittest

from tests.integration.mq_client import DEADLINE, MqClient, Transport
from tests.integration.troupe_node import TroupeNode

_numbers = itertools.count(1)


class MqCase(unittest.IsolatedAsyncioTestCase):
    """One node for all tests of the class, so users are named by `name`."""

    settings = {}
    transport = Transport.DRAFT

    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode(cls.settings)
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()

    @classmethod
    def tearDownClass(cls):
        code = cls.node.stop()
        if code != 0:
            raise AssertionError(f"exit code {code}\n{cls.node.log()}")

    async def asyncSetUp(self):
        # unittest turns it on; it halves the load a test can make.
        asyncio.get_running_loop().set_debug(False)

    def name(self, stem):
        return f"{stem}{next(_numbers)}"

    async def connect(self, transport=None, listener="public", **options):
        client = await MqClient.connect(
            self.node.address(listener),
            transport or self.transport,
            **options,
        )
        self.addCleanup(client.vanish)
        return client

    async def user(self, stem, aliases="", login=True, **options):
        """A new user with the device n0, logged in."""
        client = await self.connect(**options)
        uid = self.name(stem)
        answer = await client.register(uid, "n0", aliases)
        self.assertIsNone(answer.get("error"), answer)
        client.uid, client.device = uid, "n0"
        if login:
            await client.login(uid, "n0")
        return client

    async def device(self, of, name, login=True, **options):
        """One more device of the user `of` is logged in as."""
        client = await self.connect(**options)
        answer = await client.add_node(of.uid, name, "n0")
        self.assertIsNone(answer.get("error"), answer)
        client.uid, client.device = of.uid, name
        if login:
            await client.login(of.uid, name)
        return client

    async def again(self, client, **options):
        """A new connection of the same device, whose old one was closed."""
        fresh = await self.connect(**options)
        await fresh.login(client.uid, client.device)
        return fresh

    async def once_free(self, client, **options):
        """Like again, after an end that the client can't see the node notice
        (FIN, RST): until then the device counts as active."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            fresh = await self.connect(**options)
            await fresh.send(
                "login", userId=client.uid, nodeId=client.device
            )
            answer = await fresh.receive()
            if answer.op == "info":
                fresh.uid, fresh.device = client.uid, client.device
                return fresh
            self.assertEqual(answer["info"], "node already active")
            await fresh.expect_end()
        self.fail(f"{client.uid}/{client.device} stays active")

    async def assert_next_is_marker(self, sender, *receivers):
        """Posts to the users of `receivers` and sees that this is the next
        message of each: whatever else was queued would come before it."""
        marker = self.name("marker").encode()
        to = {r.uid: 1 for r in receivers}
        self.assert_ok(await sender.post(to, marker, noNodes=1))
        for receiver in receivers:
            message = await receiver.take()
            self.assertEqual(message.data, marker, receiver.uid)
            self.assertEqual(receiver.kept(), [])

    def assert_ok(self, ack, error=None):
        self.assertEqual(ack["type"], "ok", ack)
        self.assertEqual(ack.get("error"), error, ack)
        if error is None:
            self.assertNotIn("error", ack.header)

    def assert_error(self, ack, error):
        self.assertEqual((ack["type"], ack.get("error")), ("error", error))


async def eventually(question, deadline=30, pause=0.05):
    """Asks (in a thread) until the answer is true, and returns it. For what
    the node does in its own time and tells nobody about."""
    end = time.monotonic() + deadline
    while True:
        if answer := await asyncio.to_thread(question):
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{question.__name__} stayed false")
        await asyncio.sleep(pause)


class Lag:
    """Seconds by which this process was kept waiting for the processor."""

    worst = 0.0


@contextlib.asynccontextmanager
async def scheduling_lag(step=0.01):
    """Measures how late timers fire here, to be granted to a node on the same
    machine when a specified time is checked."""
    lag = Lag()

    async def watch():
        while True:
            before = time.monotonic()
            await asyncio.sleep(step)
            lag.worst = max(lag.worst, time.monotonic() - before - step)

    task = asyncio.create_task(watch())
    try:
        yield lag
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
