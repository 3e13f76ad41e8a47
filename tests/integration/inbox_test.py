# SPDX-License-Identifier: Apache-2.0
"""Inboxes over time: bounds, devices that stay away, actors that leave
memory."""

import asyncio
import unittest

from tests.integration.mq_case import MqCase, eventually
from tests.integration.mq_client import DEADLINE
from tests.integration.troupe_node import quoted


class RefusingInbox(MqCase):
    settings = {"inbox.messages_max": "10", "inbox.overflow": "refuse"}

    async def test_full_inbox_refuses_and_others_do_not(self):
        alice = await self.user("alice")
        bob = await self.user("bob", login=False)
        carol = await self.user("carol")
        for n in range(10):
            self.assert_ok(await alice.post({bob.uid: 1}, b"%d" % n))
        ack = await alice.post({bob.uid: 1, carol.uid: 1}, b"too much")
        self.assert_ok(ack, "inbox full")
        self.assertEqual((await carol.take()).data, b"too much")
        self.assertIn(
            "inbox full", (await alice.post({bob.uid: 1}, b"alone"))["error"]
        )
        bob = await self.again(bob)
        for n in range(10):
            self.assertEqual((await bob.take()).data, b"%d" % n)
        # There is room as soon as his acknowledgements are in.
        while "error" in (ack := await alice.post({bob.uid: 1}, b"room")).header:
            self.assert_ok(ack, "inbox full")
        self.assertEqual((await bob.take()).data, b"room")
        await self.assert_next_is_marker(alice, bob)


class DroppingInbox(MqCase):
    settings = {"inbox.messages_max": "10", "inbox.overflow": "drop_oldest"}

    async def test_full_inbox_forgets_the_oldest(self):
        alice = await self.user("alice")
        bob = await self.user("bob", login=False)
        for n in range(15):
            self.assert_ok(await alice.post({bob.uid: 1}, b"%d" % n))
        bob = await self.again(bob)
        for n in range(5, 15):
            self.assertEqual((await bob.take()).data, b"%d" % n)
        await self.assert_next_is_marker(alice, bob)

        def counted():
            return any(
                "drop" in name and value >= 5
                for name, value in self.node.metrics().items()
            )

        await eventually(counted)


class BytesBound(MqCase):
    settings = {"inbox.bytes_max": "1MiB", "mq.message_bytes_max": "512KiB"}

    async def test_bytes_count_as_well(self):
        alice = await self.user("alice")
        bob = await self.user("bob", login=False)
        data = bytes(400_000)
        self.assert_ok(await alice.post({bob.uid: 1}, data))
        self.assert_ok(await alice.post({bob.uid: 1}, data))
        ack = await alice.post({bob.uid: 1}, data)
        self.assertIn("inbox full", ack["error"])
        bob = await self.again(bob)
        await bob.take()
        await bob.take()
        await self.assert_next_is_marker(bob, bob)


class InactiveDevices(MqCase):
    settings = {"inbox.device_inactive_after": "2s"}

    def shown(self, uid, offset):
        user = self.node.get_json("/users/" + quoted(uid))
        return next(d for d in user["devices"] if d["offset"] == offset)

    async def test_absent_device_gives_up_its_queue(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        phone = await self.device(bob, "phone")
        await phone.close()
        self.assert_ok(await alice.post({bob.uid: 1}, b"while away"))
        self.assertEqual((await bob.take()).data, b"while away")

        def given_up():
            return self.shown(bob.uid, 1)["queued"] == 0

        await eventually(given_up)
        phone = await self.again(phone)
        await self.assert_next_is_marker(alice, bob, phone)


class InactiveUsers(MqCase):
    settings = {
        "inbox.device_inactive_after": "1s",
        "inbox.user_inactive_after": "2s",
    }

    async def test_absent_user_is_suspended_until_the_next_login(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        await bob.close()
        async with asyncio.timeout(DEADLINE):
            while True:
                ack = await alice.post({bob.uid: 1}, b"are you there?")
                self.assertEqual(ack["type"], "ok")
                if ack.get("error"):
                    break
                await asyncio.sleep(0.1)
        self.assertEqual(ack["error"], "userId inactive")
        # Logging in makes active again; older posts may be there or given up.
        bob = await self.again(bob)
        self.assert_ok(await alice.post({bob.uid: 1}, b"welcome back"))
        while (await bob.take()).data != b"welcome back":
            pass


class Passivation(MqCase):
    settings = {"inbox.passivate_after": "200ms"}

    def inbox_actors(self, uid):
        page = self.node.get_json("/actors?limit=10000")
        return [
            a["path"]
            for a in page["actors"]
            if uid in a["path"] and a["kind"] == "inbox"
        ]

    async def test_idle_inbox_leaves_memory_and_comes_back(self):
        alice = await self.user("alice")
        bob = await self.user("bob", login=False)
        for n in range(5):
            self.assert_ok(await alice.post({bob.uid: 1}, b"%d" % n))

        def passive():
            return not self.inbox_actors(bob.uid)

        await eventually(passive)
        self.assert_ok(await alice.post({bob.uid: 1}, b"5"))
        await eventually(passive)
        bob = await self.again(bob)
        for n in range(6):
            self.assertEqual((await bob.take()).data, b"%d" % n)
        await bob.close()
        await eventually(passive)
        bob = await self.again(bob)
        await self.assert_next_is_marker(alice, bob)

    async def test_many_users_cost_no_actors(self):
        alice = await self.user("alice")
        bobs = [await self.user("many", login=False) for _ in range(100)]
        to = {b.uid: 1 for b in bobs}
        self.assert_ok(await alice.post(to, b"to all"))

        def passive():
            return not self.inbox_actors("many")

        await eventually(passive)
        for bob in bobs:
            await bob.login(bob.uid, "n0")
            self.assertEqual((await bob.take()).data, b"to all")


if __name__ == "__main__":
    unittest.main()
