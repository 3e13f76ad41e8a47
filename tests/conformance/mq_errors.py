# SPDX-License-Identifier: Apache-2.0
"""What a client may get wrong, and the leniencies of the draft framing
(WMQ-06, WMQ-18)."""

import unittest

from tests.integration.mq_case import MqCase
from tests.integration.mq_client import Transport
from tests.integration.mq_frames import (
    draft_frame,
    encode_message,
    websocket_frame,
)

LOGIN = {"op": "login", "userId": "nobody", "nodeId": "n0"}


def before_login():
    """(what, payload, text of the quit or None where it is free)"""
    yield (
        "post before login",
        encode_message({"op": "post", "id": "1", "to": {}}),
        "illegal op on unauthenticated socket",
    )
    yield "bad op", encode_message({"op": "nope"}), "invalid request op"
    yield "no op", encode_message({"id": "1"}), "invalid request op"
    yield (
        "missing parameter",
        encode_message({"op": "login", "userId": "alice"}),
        "login request missing param nodeId",
    )
    yield (
        "wrong type",
        encode_message({"op": "login", "userId": "alice", "nodeId": 7}),
        "login request missing param nodeId",
    )
    yield (
        "register without aliases",
        encode_message({"op": "register", "userId": "a", "newNode": "n"}),
        "register request missing param aliases",
    )
    yield (
        "addNode without prevNode",
        encode_message({"op": "addNode", "userId": "a", "newNode": "n"}),
        "addNode request missing param prevNode",
    )
    yield (
        "body on login",
        encode_message(LOGIN, data=b"body"),
        "message body disallowed for login",
    )
    yield "length no number", b"zz  {}", "invalid length header"
    yield "length too long", b"ffff{}", "invalid length header"
    yield "shorter than a length", b"2", "invalid length header"
    yield "bad JSON", b"5   {'a':", None
    yield "no object", b'3   "x"', None
    yield "bad UTF-8", b'b   {"op":"\xff\xfe"}', None
    yield "endless nesting", b"ffff" + b"[" * 0xFFFF, None


def after_login():
    yield (
        "post without id",
        encode_message({"op": "post", "to": {}}),
        "post request missing param id",
    )
    yield (
        "post to a string",
        encode_message({"op": "post", "id": "1", "to": "bob"}),
        "post request missing param to",
    )
    yield (
        "post to an array",
        encode_message({"op": "post", "id": "1", "to": ["bob"]}),
        "post request missing param to",
    )
    yield (
        "ping without alias",
        encode_message({"op": "ping", "id": "1"}),
        "ping request missing param alias",
    )
    yield (
        "listEdit without member",
        encode_message({"op": "listEdit", "id": "1", "to": "l", "type": "add"}),
        "listEdit request missing param member",
    )
    yield (
        "ack without type",
        encode_message({"op": "ack", "id": "1-0"}),
        "ack request missing param type",
    )
    yield (
        "body on ack",
        encode_message({"op": "ack", "id": "1-0", "type": "ok"}, data=b"x"),
        "message body disallowed for ack",
    )


class ErrorRows:
    def setUp(self):
        self.resident = self.node.pid

    async def others_are_unharmed(self, witness):
        self.assertEqual(self.node.pid, self.resident)
        self.assertTrue(self.node.running())
        await self.assert_next_is_marker(witness, witness)

    async def test_wmq_06_errors_before_login(self):
        witness = await self.user("witness")
        for what, payload, info in before_login():
            with self.subTest(what):
                client = await self.connect()
                await client.send_bytes(client.frame(payload))
                await client.expect_quit(info)
                await self.others_are_unharmed(witness)

    async def test_wmq_06_errors_after_login(self):
        witness = await self.user("witness")
        for what, payload, info in after_login():
            with self.subTest(what):
                client = await self.user("wrong")
                await client.send_bytes(client.frame(payload))
                await client.expect_quit(info)
                await self.others_are_unharmed(witness)

    async def test_wmq_06_frames_behind_the_bad_one_do_nothing(self):
        """The original crashes on them."""
        witness = await self.user("witness")
        bob = await self.user("bob", login=False)
        for what, payload, info in before_login():
            with self.subTest(what):
                client = await self.connect()
                behind = encode_message(
                    {"op": "register", "userId": bob.uid + "x",
                     "newNode": "n0", "aliases": ""}
                )
                await client.send_bytes(
                    client.frame(payload) + client.frame(behind) * 3
                )
                await client.expect_quit(info)
        late = await self.connect()
        await late.send("login", userId=bob.uid + "x", nodeId="n0")
        await late.expect_quit("userId unknown")
        await self.others_are_unharmed(witness)

    async def test_wmq_06_good_frames_ahead_of_the_bad_one_count(self):
        witness = await self.user("witness")
        alice = await self.user("alice")
        good = encode_message(
            {"op": "post", "id": "1", "to": {witness.uid: 1}}, data=b"in time"
        )
        await alice.send_bytes(
            alice.frame(good) + alice.frame(encode_message({"op": "nope"}))
        )
        self.assertEqual((await witness.take()).data, b"in time")
        # The answer to the post may be ahead of the quit or lost with it.
        message = await alice.receive()
        if message.op == "ack":
            message = await alice.receive()
        self.assertEqual(message["info"], "invalid request op")
        await alice.expect_end()

    async def test_wmq_06_unknown_and_stale_acks_are_ignored(self):
        alice = await self.user("alice")
        for id in ("1-0", "", "x", "999999999999999999999-1", "-"):
            await alice.send("ack", id=id, type="ok")
        await self.assert_next_is_marker(alice, alice)


class ErrorsOverDraft(ErrorRows, MqCase):
    async def test_wmq_06_empty_frame(self):
        witness = await self.user("witness")
        for frame in (b"\x85\x00", b"\x84\x00", b"\x82\x00"):
            with self.subTest(frame=frame):
                client = await self.connect()
                await client.send_bytes(frame)
                await client.expect_quit()
                await self.others_are_unharmed(witness)

    async def test_wmq_18_any_opcode_carries_a_message(self):
        uid = self.name("alice")
        client = await self.connect()
        message = encode_message(
            {"op": "register", "userId": uid, "newNode": "n0", "aliases": ""}
        )
        await client.send_bytes(draft_frame(message, first=0x84))
        self.assertEqual(
            (await client.receive()).header, {"op": "registered"}
        )
        login = encode_message({"op": "login", "userId": uid, "nodeId": "n0"})
        await client.send_bytes(draft_frame(login, first=0x82))
        self.assertEqual((await client.receive())["info"], "ok login")
        for first in (0x05, 0x04, 0x85, 0x80, 0x83):
            with self.subTest(first=hex(first)):
                post = encode_message(
                    {"op": "post", "id": hex(first), "to": {}}
                )
                await client.send_bytes(draft_frame(post, first=first))
                ack = await client.expect("ack", id=hex(first))
                self.assert_ok(ack)

    async def test_wmq_18_close_is_answered(self):
        for frame in (b"\x81\x00", b"\x01\x00"):
            with self.subTest(frame=frame):
                client = await self.connect()
                # A connection is told to be websocket.MQ by its first frame.
                await client.register(self.name("x"), "n0")
                await client.send_bytes(frame)
                self.assertEqual(await client.read_to_end(), b"\x81\x00")

    async def test_wmq_18_close_as_the_first_frame(self):
        client = await self.connect()
        await client.send_bytes(b"\x81\x00")
        self.assertEqual(await client.read_to_end(), b"\x81\x00")

    async def test_frames_arrive_in_any_pieces(self):
        uid = self.name("alice")
        client = await self.connect()
        stream = draft_frame(
            encode_message(
                {"op": "register", "userId": uid, "newNode": "n0",
                 "aliases": ""}
            )
        ) + draft_frame(
            encode_message({"op": "login", "userId": uid, "nodeId": "n0"})
        )
        for byte in stream:
            await client.send_bytes(bytes((byte,)))
        self.assertEqual((await client.receive()).op, "registered")
        self.assertEqual((await client.receive())["info"], "ok login")

    async def test_header_may_be_utf8_and_leniently_counted(self):
        uid = self.name("caf\u00e9")
        client = await self.connect()
        text = (
            '{"op":"register","userId":"%s","newNode":"n0","aliases":""}' % uid
        ).encode()
        # Upper-case digits count as well.
        await client.send_bytes(draft_frame(b"%-4X" % len(text) + text))
        self.assertEqual(
            (await client.receive()).header, {"op": "registered"}
        )
        await client.login(uid, "n0")
        self.assert_ok(await client.post({uid: 1}, b"x"))
        self.assertEqual((await client.take())["from"], uid)


class ErrorsOverWebSocket(ErrorRows, MqCase):
    transport = Transport.WEBSOCKET

    async def test_wmq_06_empty_message(self):
        witness = await self.user("witness")
        client = await self.connect()
        await client.send_bytes(websocket_frame(b""))
        await client.expect_quit()
        await self.others_are_unharmed(witness)

    async def test_wmq_18_close_is_answered(self):
        client = await self.connect()
        end = await client.close()
        self.assertTrue(end.close_frame)
        self.assertEqual(end.code, 1000)


if __name__ == "__main__":
    unittest.main()
