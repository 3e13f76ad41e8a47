# SPDX-License-Identifier: Apache-2.0
"""Users, devices and aliases (WMQ-01 over both framings, WMQ-15, WMQ-16)."""

import unittest

from tests.integration.mq_case import MqCase
from tests.integration.mq_client import Transport


class RegistrationRows:
    async def test_wmq_01_register_then_login(self):
        client = await self.connect()
        uid, first, second = map(self.name, ("alice", "al", "ice"))
        answer = await client.register(uid, "n0", f"{first} {second}  {first}")
        self.assertEqual(answer.etc, f'"{second} {first}"'.encode())
        self.assertEqual(
            answer.header, {"op": "registered", "etc": len(answer.etc)}
        )
        await client.login(uid, "n0")

    async def test_wmq_01_taken_aliases_are_dropped(self):
        taken, free = self.name("taken"), self.name("free")
        await self.user("alice", aliases=taken)
        client = await self.connect()
        answer = await client.register(
            self.name("bob"), "n0", f"{taken} {free}"
        )
        self.assertEqual(answer.etc_json, free)
        answer = await client.register(self.name("carol"), "n0", taken)
        self.assertEqual(answer.header, {"op": "registered"})

    async def test_wmq_01_refused_registrations(self):
        alias = self.name("al")
        alice = await self.user("alice", aliases=alias)
        client = await self.connect()
        answer = await client.register(alice.uid, "n0", self.name("other"))
        self.assertEqual(answer["error"], "user exists")
        self.assertEqual(answer.etc_json, alias)
        answer = await client.register(self.name("bob"), "", "")
        self.assertEqual(answer["error"], "new nodename required")

    async def test_wmq_15_add_node_before_login_copies_the_queue(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        for text in (b"one", b"two", b"three"):
            self.assert_ok(await alice.post({bob.uid: 1}, text))
        self.assertEqual((await bob.take()).data, b"one")
        # The next one arrives only after the ack has been taken in.
        two = await bob.expect("deliver")
        self.assertEqual(two.data, b"two")
        second = await self.device(bob, "n1")
        taken = [await second.take(), await second.take()]
        self.assertEqual([m.data for m in taken], [b"two", b"three"])
        self.assertEqual(taken[0]["id"], two["id"])
        await bob.acknowledge(two)
        self.assertEqual((await bob.take()).data, b"three")
        await self.assert_next_is_marker(alice, bob, second)

    async def test_wmq_15_add_node_after_login(self):
        alice = await self.user("alice")
        bob = await self.user("bob", login=False)
        self.assert_ok(await alice.post({bob.uid: 1}, b"waiting"))
        await bob.login(bob.uid, "n0")
        answer = await bob.add_node(bob.uid, "n1", "n0")
        self.assertEqual((answer["offset"], answer.get("error")), (1, None))
        second = await self.connect()
        await second.login(bob.uid, "n1")
        self.assertEqual((await second.take()).data, b"waiting")
        self.assertEqual((await bob.take()).data, b"waiting")

    async def test_wmq_15_refused_devices(self):
        bob = await self.user("bob")
        client = await self.connect()
        answer = await client.add_node(bob.uid, "", "n0")
        self.assertEqual(answer["error"], "new nodename required")
        answer = await client.add_node(self.name("ghost"), "n1", "n0")
        self.assertEqual(answer["error"], "userId unknown")
        answer = await client.add_node(bob.uid, "n1", "n9")
        self.assertIn(
            answer["error"], ("nodeId unknown", "prev nodename invalid")
        )
        answer = await client.add_node(bob.uid, "n0", "n0")
        self.assertEqual(answer["error"], "new nodename exists")
        self.assertEqual(answer["offset"], 0)

    async def test_wmq_15_one_hundred_devices(self):
        bob = await self.user("bob")
        for n in range(1, 100):
            answer = await bob.add_node(bob.uid, f"n{n}", "n0")
            self.assertEqual(answer.get("error"), None)
            self.assertEqual(answer["offset"], n)
        answer = await bob.add_node(bob.uid, "n100", "n0")
        self.assertEqual(answer["error"], "no offsets available")
        self.assertNotIn("offset", answer.header)

    async def test_wmq_16_new_aliases_reach_every_device(self):
        old, new = self.name("old"), self.name("new")
        taken = self.name("taken")
        await self.user("carol", aliases=taken)
        alice = await self.user("alice", aliases=old)
        second = await self.device(alice, "n1")
        await alice.send(
            "register", userId=alice.uid, newNode="", aliases=f"{new} {taken}"
        )
        ids = set()
        for device in (alice, second):
            message = await device.take("registered")
            self.assertEqual(message["from"], alice.uid)
            self.assertEqual(message.etc_json, new)
            ids.add(message["id"])
        self.assertEqual(len(ids), 1)
        self.assert_error(await alice.ping(old), "alias not defined")
        bob = await self.user("bob")
        self.assert_ok(await bob.ping(new, b"hello"))
        self.assertEqual((await second.take()).data, b"hello")

    async def test_wmq_16_queued_answer_waits_for_an_ack(self):
        alice = await self.user("alice")
        await alice.send(
            "register", userId=alice.uid, newNode="", aliases=self.name("al")
        )
        first = await alice.expect("registered")
        self.assert_ok(await alice.post({alice.uid: 1}, b"behind it"))
        await alice.close()
        alice = await self.again(alice)
        again = await alice.take("registered")
        self.assertEqual(again["id"], first["id"])
        self.assertEqual((await alice.take()).data, b"behind it")

    async def test_wmq_16_empty_aliases_keep_the_set(self):
        alias = self.name("al")
        alice = await self.user("alice", aliases=alias)
        await alice.send("register", userId=alice.uid, newNode="", aliases="")
        message = await alice.take("registered")
        self.assertIn("id", message.header)
        self.assertIsNone(message.etc)
        bob = await self.user("bob")
        self.assert_ok(await bob.ping(alias))

    async def test_wmq_16_foreign_user_is_refused(self):
        alias = self.name("victim")
        bob = await self.user("bob", aliases=alias)
        alice = await self.user("alice")
        answer = await alice.register(bob.uid, "", self.name("stolen"))
        self.assertTrue(answer["error"])
        self.assertNotIn("id", answer.header)
        self.assert_ok(await alice.ping(alias, b"still here"))
        self.assertEqual((await bob.take()).data, b"still here")

    async def test_wmq_16_re_register_names_no_device(self):
        alice = await self.user("alice")
        answer = await alice.register(alice.uid, "n5", "")
        self.assertEqual(answer["error"], "prev nodename invalid")
        self.assertNotIn("id", answer.header)


class RegistrationOverDraft(RegistrationRows, MqCase):
    pass


class RegistrationOverWebSocket(RegistrationRows, MqCase):
    transport = Transport.WEBSOCKET


if __name__ == "__main__":
    unittest.main()
