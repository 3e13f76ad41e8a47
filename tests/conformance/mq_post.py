# SPDX-License-Identifier: Apache-2.0
"""Who gets a post and what arrives (WMQ-07, 12, 13, 20)."""

import os
import unittest

from tests.integration.mq_case import MqCase
from tests.integration.mq_client import Transport, first_of
from tests.integration.mq_frames import encode_message

EVERY_BYTE = bytes(range(256))


class PostRows:
    async def test_wmq_07_etc_and_data_arrive_unchanged(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        second = await self.device(bob, "n1")
        for etc in (
            b'{"subject":"hi","n":[1,2.50,true,null]}',
            b'"a string"',
            b"[]",
            b"17",
            b'{ "spaces" :  "stay",\n"caf\xc3\xa9":"\\u00e9" }',
        ):
            with self.subTest(etc=etc):
                ack = await alice.post({bob.uid: 1}, EVERY_BYTE, etc=etc)
                self.assert_ok(ack)
                for device in (bob, second):
                    message = await device.take()
                    self.assertEqual(message.etc, etc)
                    self.assertEqual(message.data, EVERY_BYTE)
                    self.assertEqual(message["from"], alice.uid)

    async def test_wmq_07_every_length_of_frame(self):
        alice = await self.user("alice")
        for size in (0, 1, 60, 61, 125, 126, 127, 65000, 65536, 70000):
            with self.subTest(size=size):
                data = (EVERY_BYTE * (size // 256 + 1))[:size]
                self.assert_ok(await alice.post({alice.uid: 1}, data))
                message = await alice.take()
                self.assertEqual(message.data, data)
                self.assertIsNone(message.etc)

    async def test_wmq_07_etc_inside_the_header_is_moved_out(self):
        alice = await self.user("alice")
        for value, text in (
            (False, b"false"),
            (None, b"null"),
            ("str", b'"str"'),
            ({"a": [1]}, b'{"a":[1]}'),
        ):
            with self.subTest(value=value):
                await alice.send_bytes(
                    alice.frame(
                        encode_message(
                            {"op": "post", "id": "e", "to": {alice.uid: 1},
                             "etc": value},
                            data=b"tail",
                        )
                    )
                )
                message = await alice.take()
                self.assertEqual(message.etc, text)
                self.assertEqual(message.data, b"tail")
                self.assert_ok(await alice.expect("ack", id="e"))

    async def test_wmq_07_client_ids_are_free(self):
        alice = await self.user("alice")
        for id in ("", "0", "0", "caf\u00e9 \"quoted\"\\\n", "x" * 1000):
            with self.subTest(id=id):
                self.assert_ok(await alice.post({alice.uid: 1}, id=id))
                await alice.take()

    async def members(self):
        """(list, alice, bob, carol): a list of three users."""
        alice, bob, carol = [
            await self.user(stem) for stem in ("alice", "bob", "carol")
        ]
        name = self.name("list")
        self.assert_ok(await alice.edit_list(name, "add", bob.uid))
        self.assert_ok(await alice.edit_list(name, "add", carol.uid))
        await alice.take("listEdited")
        await alice.take("listEdited")
        await bob.take("listEdited")
        await bob.take("listEdited")
        await carol.take("listEdited")
        return name, alice, bob, carol

    async def test_wmq_12_list_without_the_sender(self):
        name, alice, bob, carol = await self.members()
        second = await self.device(alice, "n1")
        self.assert_ok(await alice.post({name: 2}, b"l2"))
        for device in (bob, carol, second):
            self.assertEqual((await device.take()).data, b"l2")
        await self.assert_next_is_marker(bob, alice, second, carol)

    async def test_wmq_12_list_with_the_sender(self):
        name, alice, bob, carol = await self.members()
        second = await self.device(alice, "n1")
        self.assert_ok(await alice.post({name: 3}, b"l3"))
        for device in (alice, second, bob, carol):
            message = await device.take()
            self.assertEqual(message.data, b"l3")
            self.assertEqual(message["from"], alice.uid)
        await self.assert_next_is_marker(carol, alice, second, bob)

    async def test_wmq_12_mixed_kinds_of_recipients(self):
        name, alice, bob, carol = await self.members()
        dave = await self.user("dave")
        dave1 = await self.device(dave, "n1")
        second = await self.device(alice, "n1")
        self.assert_ok(
            await alice.post({dave.uid: 0, bob.uid: 1, name: 2}, b"mixed")
        )
        shared = {(await c.take())["id"] for c in (bob, carol, second)}
        claimer, single = await first_of((dave, dave1))
        self.assertEqual(single.data, b"mixed")
        self.assertNotIn(single["id"], shared)
        await claimer.acknowledge(single)
        # Dave had it on one device, and bob, though named twice, once.
        await self.assert_next_is_marker(alice, dave, dave1, bob, carol)

    async def test_wmq_12_how_is_taken_as_a_number(self):
        name, alice, bob, carol = await self.members()
        bob1 = await self.device(bob, "n1")
        for how in (1, True, "1", 7, "abc", -1):
            with self.subTest(how=how):
                self.assert_ok(await alice.post({bob.uid: how}, b"all"))
                self.assertEqual((await bob.take()).data, b"all")
                self.assertEqual((await bob1.take()).data, b"all")
        self.assert_ok(await alice.post({name: "2"}, b"list"))
        for device in (bob, bob1, carol):
            self.assertEqual((await device.take()).data, b"list")

    async def test_wmq_12_failures_in_part(self):
        name, alice, bob, carol = await self.members()
        stranger = await self.user("stranger")
        missing = self.name("nolist")
        self.assert_ok(
            await alice.post({bob.uid: 1, missing: 2}, b"x"),
            f"list {missing} not found",
        )
        self.assertEqual((await bob.take()).data, b"x")
        self.assert_ok(
            await stranger.post({name: 2, bob.uid: 1}, b"y"),
            f"uid {stranger.uid} not found",
        )
        self.assertEqual((await bob.take()).data, b"y")
        ack = await alice.post(
            {bob.uid: 1, self.name("ghost"): 1, missing: 3}, b"z"
        )
        self.assertEqual(ack["type"], "ok")
        self.assertEqual(
            sorted(ack["error"].split("\n")),
            sorted(["userId unknown", f"list {missing} not found"]),
        )
        self.assertEqual((await bob.take()).data, b"z")
        await self.assert_next_is_marker(alice, bob, carol)

    async def test_wmq_12_only_unknown_recipients(self):
        alice = await self.user("alice")
        self.assert_ok(
            await alice.post({self.name("ghost"): 1}), "userId unknown"
        )
        await self.assert_next_is_marker(alice, alice)

    async def test_wmq_13_copies_to_the_senders_other_devices(self):
        alice = await self.user("alice")
        second = await self.device(alice, "n1")
        bob = await self.user("bob")
        self.assert_ok(await alice.post({bob.uid: 1}, b"copy"))
        message = await second.take()
        self.assertEqual((message.data, message["from"]), (b"copy", alice.uid))
        self.assertEqual((await bob.take()).data, message.data)
        self.assert_ok(await alice.post({bob.uid: 0}, b"copy of one"))
        self.assertEqual((await second.take()).data, b"copy of one")
        self.assertEqual((await bob.take()).data, b"copy of one")
        self.assert_ok(await alice.post({}, b"to myself"))
        self.assertEqual((await second.take()).data, b"to myself")
        await self.assert_next_is_marker(bob, alice, second)

    async def test_wmq_13_ping_copies_as_well(self):
        alias = self.name("bobby")
        alice = await self.user("alice")
        second = await self.device(alice, "n1")
        bob = await self.user("bob", aliases=alias)
        self.assert_ok(await alice.ping(alias, b"ping", etc={"a": 1}))
        for device in (bob, second):
            message = await device.take()
            self.assertEqual(message.data, b"ping")
            self.assertEqual(message.etc_json, {"a": 1})
        self.assert_ok(await alice.ping(alias, b"quiet", noNodes=True))
        self.assertEqual((await bob.take()).data, b"quiet")
        await self.assert_next_is_marker(bob, second)

    async def test_wmq_13_no_nodes_suppresses_the_copies(self):
        alice = await self.user("alice")
        second = await self.device(alice, "n1")
        bob = await self.user("bob")
        for flag in (True, 1, "yes", {}):
            self.assert_ok(
                await alice.post({bob.uid: 1}, b"quiet", noNodes=flag)
            )
            self.assertEqual((await bob.take()).data, b"quiet")
        await self.assert_next_is_marker(bob, alice, second)
        for flag in (False, 0, "", None):
            self.assert_ok(
                await alice.post({bob.uid: 1}, b"loud", noNodes=flag)
            )
            self.assertEqual((await second.take()).data, b"loud")

    async def test_wmq_13_nobody_left(self):
        alice = await self.user("alice")
        await self.device(alice, "n1")
        self.assert_error(
            await alice.post({}, b"x", noNodes=True), "msg lacks recipients"
        )

    async def test_wmq_20_hostile_and_similar_uids(self):
        alice = await self.user("alice")
        outside = self.node.data.parent
        before = set(outside.iterdir())
        for stem in (
            "../../escape",
            "/tmp/escape/x",
            "..",
            "a/b",
            "a\\b",
            "x,0",
            "%2e%2e%2f",
            "spaces and \u4e2d\u6587",
        ):
            with self.subTest(uid=stem):
                uid = stem + self.name("-")
                client = await self.connect()
                answer = await client.register(uid, "n0")
                if "error" in answer.header:
                    continue  # refusing such a name is as good
                await client.login(uid, "n0")
                self.assert_ok(await alice.post({uid: 1}, b"contained"))
                message = await client.take()
                self.assertEqual(message.data, b"contained")
        self.assertEqual(set(outside.iterdir()), before)
        names = [p.name for p in self.node.data.rglob("*")]
        self.assertEqual([n for n in names if "escape" in n], [])
        self.assertFalse(os.path.exists("/tmp/escape"))

    async def test_wmq_20_nul_and_empty_names(self):
        for uid, node in (("", "n0"), ("a\0b", "n0"), ("x", "n\0")):
            client = await self.connect()
            await client.send(
                "register", userId=uid, newNode=node, aliases=""
            )
            answer = await client.receive()
            self.assertTrue(
                answer.op == "quit" or answer.get("error"), answer
            )
        self.assertTrue(self.node.running())

    async def test_wmq_20_case_tells_users_apart(self):
        alice = await self.user("alice")
        stem = self.name("Bob")
        upper, lower = await self.connect(), await self.connect()
        for client, uid in ((upper, stem), (lower, stem.lower())):
            answer = await client.register(uid, "n0")
            self.assertEqual(answer.header, {"op": "registered"})
            await client.login(uid, "n0")
        self.assert_ok(await alice.post({upper.uid: 1}, b"upper"))
        self.assert_ok(await alice.post({lower.uid: 1}, b"lower"))
        self.assertEqual((await upper.take()).data, b"upper")
        self.assertEqual((await lower.take()).data, b"lower")
        await self.assert_next_is_marker(alice, upper, lower)


class PostOverDraft(PostRows, MqCase):
    pass


class PostOverWebSocket(PostRows, MqCase):
    transport = Transport.WEBSOCKET


if __name__ == "__main__":
    unittest.main()
