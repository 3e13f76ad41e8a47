# SPDX-License-Identifier: Apache-2.0
"""kill -9 under load, again and again on the same data, with a checker that
knows every acknowledged post (promises.py). After a polite stop nothing that
was acknowledged comes back at all.

TROUPE_TEST_SEED repeats a run (as far as a seed can), TROUPE_TEST_KILLS sets how often.
"""

import asyncio
import os
import random
import unittest

from tests.integration.mq_client import MqClient
from tests.integration.promises import SEED, World
from tests.integration.troupe_node import TroupeNode

KILLS = int(os.environ.get("TROUPE_TEST_KILLS", "20"))


class KillTest(unittest.IsolatedAsyncioTestCase):
    async def kill_now_and_then(self, node, world):
        chance = random.Random(SEED)
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.1, 1.5))
            world.up.clear()
            await asyncio.to_thread(node.kill)
            # Every fourth start is cut short as well.
            while chance.random() < 0.25:
                node.spawn()
                await asyncio.sleep(chance.uniform(0.0, 0.2))
                await asyncio.to_thread(node.kill)
            await asyncio.to_thread(node.start)
            world.up.set()

    async def test_nothing_acknowledged_is_lost(self):
        print(f"\nseed {SEED}, {KILLS} kills")
        asyncio.get_running_loop().set_debug(False)
        node = TroupeNode()
        self.addCleanup(node.remove)
        await asyncio.to_thread(node.start)
        world = World(node.address)
        await world.populate()
        missing = await world.live_through(
            lambda: self.kill_now_and_then(node, world)
        )
        print(world.summary())
        self.assertEqual(world.ledger.broken[:10], [], f"seed {SEED}")
        self.assertEqual(missing, [], f"seed {SEED}")
        self.assertTrue(world.ledger.promised)
        await self.nothing_comes_back(node, world.devices)

    async def nothing_comes_back(self, node, devices):
        # A post of its own tells each device that its acks have been taken in.
        await self.marker_is_next(node, devices, b"before the stop", True)
        self.assertEqual(await asyncio.to_thread(node.stop), 0)
        await asyncio.to_thread(node.start)
        await self.marker_is_next(node, devices, b"after the stop")
        self.assertEqual(await asyncio.to_thread(node.stop), 0)

    async def marker_is_next(self, node, devices, marker, first=False):
        sender = await MqClient.connect(node.address())
        self.addCleanup(sender.vanish)
        await sender.login("poster0", "n0")
        to = {d.uid: 1 for d in devices}
        self.assertEqual((await sender.post(to, marker))["type"], "ok")
        await sender.close()
        for device in devices:
            client = await MqClient.connect(node.address())
            self.addCleanup(client.vanish)
            await client.login(device.uid, device.name)
            message = await client.take()
            # Posts without an ack, and acks cut off with the reader, may be
            # ahead of the first marker.
            while first and message.data != marker:
                message = await client.take()
            self.assertEqual(message.data, marker)
            await client.close()


if __name__ == "__main__":
    unittest.main()
