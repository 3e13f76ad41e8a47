# SPDX-License-Identifier: Apache-2.0
"""Redelivery, claims and what a crash leaves (WMQ-08 to WMQ-11)."""

import asyncio
import re
import time
import unittest

from tests.integration.mq_case import MqCase, scheduling_lag
from tests.integration.mq_client import Transport, first_of


class DeliveryRows:
    async def test_wmq_08_identical_redelivery_until_acked(self):
        """The one test that waits out the real ten seconds."""
        alice = await self.user("alice")
        bob = await self.user("bob")
        self.assert_ok(await alice.post({bob.uid: 1}, b"first", etc=[1]))
        self.assert_ok(await alice.post({bob.uid: 1}, b"second"))
        first = await bob.receive()
        times = [time.monotonic()]
        # Neither of these is an ack.
        await bob.send("ack", id=first["id"], type="fail")
        await bob.send("ack", id="1-0", type="ok")
        async with scheduling_lag() as lag:
            for _ in range(2):
                again = await bob.receive(deadline=60)
                times.append(time.monotonic())
                self.assertEqual(again.raw, first.raw)
        for before, after in zip(times, times[1:]):
            self.assertGreaterEqual(after - before, 9 - lag.worst)
            self.assertLessEqual(after - before, 11 + lag.worst)
        await bob.acknowledge(first)
        self.assertEqual((await bob.take()).data, b"second")
        await self.assert_next_is_marker(alice, bob)

    async def test_wmq_09_disconnect_without_ack(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        self.assert_ok(await alice.post({bob.uid: 1}, b"keep me", etc="e"))
        first = await bob.expect("deliver")
        await bob.close()
        bob = await self.again(bob)
        again = await bob.expect("deliver")
        self.assertEqual(again.raw, first.raw)
        bob.vanish()
        bob = await self.once_free(bob)
        self.assertEqual((await bob.expect("deliver")).raw, first.raw)
        bob.reset()
        bob = await self.once_free(bob)
        self.assertEqual((await bob.take()).raw, first.raw)
        await bob.close()
        bob = await self.again(bob)
        await self.assert_next_is_marker(alice, bob)

    async def test_wmq_10_acked_post_survives_kill(self):
        alice = await self.user("alice")
        bob = await self.user("bob", login=False)
        self.assert_ok(await alice.post({bob.uid: 1}, b"durable", etc={}))
        await asyncio.to_thread(self.node.kill)
        await asyncio.to_thread(self.node.start)
        bob = await self.again(bob)
        message = await bob.expect("deliver")
        self.assertEqual((message.data, message.etc), (b"durable", b"{}"))
        # Unacked: the same again with the same id after another kill.
        await asyncio.to_thread(self.node.kill)
        await asyncio.to_thread(self.node.start)
        bob = await self.again(bob)
        self.assertEqual((await bob.take()).raw, message.raw)

    async def test_wmq_10_registration_survives_kill(self):
        alias, name = self.name("al"), self.name("list")
        alice = await self.user("alice", aliases=alias)
        bob = await self.user("bob")
        await bob.add_node(bob.uid, "n1", "n0")
        self.assert_ok(await alice.edit_list(name, "add", bob.uid))
        await asyncio.to_thread(self.node.kill)
        await asyncio.to_thread(self.node.start)
        bob.device = "n1"
        bob = await self.again(bob)
        self.assertEqual((await bob.take("listEdited"))["from"], alice.uid)
        self.assert_ok(await bob.ping(alias, b"hello"))
        self.assert_ok(await bob.post({name: 2}, b"list"))
        alice = await self.again(alice)
        await alice.take("listEdited")
        self.assertEqual((await alice.take()).data, b"hello")
        self.assertEqual((await alice.take()).data, b"list")

    async def test_wmq_11_one_device_of_three(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        devices = [bob, await self.device(bob, "n1"),
                   await self.device(bob, "n2")]
        self.assert_ok(await alice.post({bob.uid: 0}, b"once"))
        claimer, message = await first_of(devices)
        self.assertEqual(message.data, b"once")
        await claimer.acknowledge(message)
        await self.assert_next_is_marker(alice, *devices)

    async def test_wmq_11_claim_passes_on_when_the_claimer_goes(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        devices = [bob, await self.device(bob, "n1"),
                   await self.device(bob, "n2")]
        self.assert_ok(await alice.post({bob.uid: 0}, b"once"))
        claimer, message = await first_of(devices)
        rest = [d for d in devices if d is not claimer]
        claimer.reset()
        second, again = await first_of(rest)
        self.assertEqual(again.raw, message.raw)
        await second.acknowledge(again)
        back = await self.once_free(claimer)
        await self.assert_next_is_marker(alice, back, *rest)

    async def test_wmq_11_nobody_online(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        second = await self.device(bob, "n1")
        await bob.close()
        await second.close()
        self.assert_ok(await alice.post({bob.uid: 0}, b"once"))
        second = await self.again(second)
        message = await second.take()
        self.assertEqual(message.data, b"once")
        bob = await self.again(bob)
        await self.assert_next_is_marker(alice, bob, second)

    async def test_wmq_11_keeps_its_place_in_the_order(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        self.assert_ok(await alice.post({bob.uid: 1}, b"1"))
        self.assert_ok(await alice.post({bob.uid: 0}, b"2"))
        self.assert_ok(await alice.post({bob.uid: 1}, b"3"))
        self.assertEqual(
            [(await bob.take()).data for _ in range(3)], [b"1", b"2", b"3"]
        )

    async def test_a9_ids_are_unique_and_ascend(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        for n in range(50):
            self.assert_ok(await alice.post({bob.uid: 1}, b"%d" % n))
        seen = []
        for n in range(50):
            message = await bob.take()
            self.assertEqual(message.data, b"%d" % n)
            self.assertRegex(message["id"], re.compile(r"\A\d+-\d+\Z"))
            seen.append(tuple(map(int, message["id"].split("-"))))
        self.assertEqual(seen, sorted(set(seen)))


class DeliveryOverDraft(DeliveryRows, MqCase):
    pass


class DeliveryOverWebSocket(DeliveryRows, MqCase):
    transport = Transport.WEBSOCKET


if __name__ == "__main__":
    unittest.main()
