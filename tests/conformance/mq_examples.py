# SPDX-License-Identifier: Apache-2.0
"""The example exchanges of websocket.MQ, byte for byte over draft frames.

A line of a transcript is: connection, direction, frame header in hex, two
spaces, payload. What differs from run to run (server ids, dates) is put back
to the transcript's value before the frames are compared, lengths included.
"""

import re
import unittest

from tests.integration.mq_case import MqCase
from tests.integration.mq_frames import decode_message, draft_frame
from tests.integration.troupe_node import TroupeNode

LINE = re.compile(r"^(\w) ([<>]) ((?:[0-9a-f]{2} )*[0-9a-f]{2})(?:  (.*))?$")
ID = re.compile(rb'"id":"(\d+-\d+)"')
DATE = re.compile(rb'"date":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"')


def with_length(payload):
    """The payload with its length header made right again."""
    end = payload.index(b"}") + 1
    # The header is the shortest prefix that is balanced: no example has a
    # brace inside a string.
    while payload.count(b"{", 0, end) != payload.count(b"}", 0, end):
        end = payload.index(b"}", end) + 1
    return b"%-4x" % (end - 4) + payload[4:]


class Examples(MqCase):
    """Every example needs the users it names, so each gets a fresh node."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        self.node = TroupeNode({"listen.mq": "127.0.0.1:0"})
        self.addCleanup(self.node.remove)
        self.node.start()
        self.connections = {}
        self.ids = {}  # as in the transcript -> as in this run

    async def play(self, transcript):
        for line in filter(None, map(str.strip, transcript.splitlines())):
            name, direction, head, text = LINE.match(line).groups()
            payload = (text or "").replace("␠", " ").encode()
            frame = bytes.fromhex(head) + payload
            if name not in self.connections:
                self.connections[name] = await self.connect()
            client = self.connections[name]
            with self.subTest(line=line):
                if direction == ">":
                    await client.send_bytes(self.outgoing(frame, payload))
                elif frame == b"\x81\x00":
                    await client.expect_end()
                else:
                    await self.compare(client, frame, payload)

    def outgoing(self, frame, payload):
        if frame == b"\x81\x00":
            return frame
        self.assertEqual(frame, draft_frame(payload), "a slip in the test")
        for id, real in self.ids.items():
            payload = payload.replace(id, real)
        return draft_frame(with_length(payload))

    async def compare(self, client, frame, payload):
        actual = (await client.receive()).raw
        text = actual[4:] if actual[1] == 126 else actual[2:]
        decode_message(text)  # its own lengths must be right
        if wanted := ID.search(payload):
            # Client ids are echoed; only ids of the server's making differ.
            if b'"op":"ack"' not in payload:
                real = ID.search(text)
                self.assertIsNotNone(real, text)
                self.ids[wanted[1]] = real[1]
                text = with_length(text.replace(real[1], wanted[1], 1))
        if wanted := DATE.search(payload):
            real = DATE.search(text)
            self.assertIsNotNone(real, text)
            text = text.replace(real[1], wanted[1], 1)
        self.assertEqual(draft_frame(text), frame)

    # The users most examples speak of: alice and bob, one device each.
    cast = """
A > 85 4c  48␠␠{"op":"register","userId":"alice","newNode":"n0","aliases":"al ice␠␠al"}
A < 85 27  1b␠␠{"op":"registered","etc":8}"ice al"
A > 85 31  2d␠␠{"op":"login","userId":"alice","nodeId":"n0"}
A < 85 23  1f␠␠{"op":"info","info":"ok login"}
B > 85 45  41␠␠{"op":"register","userId":"bob","newNode":"n0","aliases":"bobby"}
B < 85 26  1b␠␠{"op":"registered","etc":7}"bobby"
B > 85 2f  2b␠␠{"op":"login","userId":"bob","nodeId":"n0"}
B < 85 23  1f␠␠{"op":"info","info":"ok login"}
"""

    async def test_wmq_01_register_and_login(self):
        await self.play(
            """
A > 85 4c  48␠␠{"op":"register","userId":"alice","newNode":"n0","aliases":"al ice␠␠al"}
A < 85 27  1b␠␠{"op":"registered","etc":8}"ice al"
A > 85 31  2d␠␠{"op":"login","userId":"alice","nodeId":"n0"}
A < 85 23  1f␠␠{"op":"info","info":"ok login"}
"""
        )

    async def test_a14_2_user_exists_and_no_node_name(self):
        await self.play(
            """
A > 85 4c  48␠␠{"op":"register","userId":"alice","newNode":"n0","aliases":"al ice␠␠al"}
A < 85 27  1b␠␠{"op":"registered","etc":8}"ice al"
C > 85 45  41␠␠{"op":"register","userId":"alice","newNode":"n0","aliases":"zzz"}
C < 85 3d  31␠␠{"op":"registered","etc":8,"error":"user exists"}"ice al"
C > 85 43  3f␠␠{"op":"register","userId":"bob","newNode":"","aliases":"bobby"}
C < 85 37  33␠␠{"op":"registered","error":"new nodename required"}
"""
        )

    async def test_a14_3_duplicate_login(self):
        await self.play(
            self.cast
            + """
C > 85 2f  2b␠␠{"op":"login","userId":"bob","nodeId":"n0"}
C < 85 2e  2a␠␠{"op":"quit","info":"node already active"}
C < 81 00
"""
        )

    async def test_a14_4_post_deliver_ack(self):
        await self.play(
            self.cast
            + """
A > 85 48  2f␠␠{"op":"post","id":"m1","to":{"bob":1},"etc":16}{"subject":"hi"}hello
A < 85 26  22␠␠{"op":"ack","id":"m1","type":"ok"}
B < 85 58  3f␠␠{"op":"deliver","id":"1795221369872-0","from":"alice","etc":16}{"subject":"hi"}hello
B > 85 33  2f␠␠{"op":"ack","id":"1795221369872-0","type":"ok"}
"""
        )

    async def test_a14_5_one_known_one_unknown_recipient(self):
        await self.play(
            self.cast
            + """
A > 85 35  30␠␠{"op":"post","id":"m2","to":{"bob":1,"ghost":1}}x
A < 85 3f  3b␠␠{"op":"ack","id":"m2","type":"ok","error":"userId unknown"}
B < 85 3b  36␠␠{"op":"deliver","id":"1795221370674-0","from":"alice"}x
"""
        )

    async def test_a14_6_ping_and_failing_ping(self):
        # The original says "error":null in the first ack; we leave it out.
        await self.play(
            self.cast
            + """
A > 85 30  27␠␠{"op":"ping","id":"p1","alias":"bobby"}short
A < 85 26  22␠␠{"op":"ack","id":"p1","type":"ok"}
B < 85 3f  36␠␠{"op":"deliver","id":"1795221372982-0","from":"alice"}short
A > 85 2c  28␠␠{"op":"ping","id":"p2","alias":"nobody"}
A < 85 45  41␠␠{"op":"ack","id":"p2","type":"error","error":"alias not defined"}
"""
        )

    async def test_a14_8_new_device(self):
        await self.play(
            self.cast
            + """
A > 85 2f  26␠␠{"op":"post","id":"m1","to":{"bob":1}}multi
A < 85 26  22␠␠{"op":"ack","id":"m1","type":"ok"}
C > 85 42  3e␠␠{"op":"addNode","userId":"bob","newNode":"n1","prevNode":"n0"}
C < 85 1d  19␠␠{"op":"added","offset":1}
C > 85 2f  2b␠␠{"op":"login","userId":"bob","nodeId":"n1"}
C < 85 23  1f␠␠{"op":"info","info":"ok login"}
C < 85 3f  36␠␠{"op":"deliver","id":"1795221441269-0","from":"alice"}multi
"""
        )

    async def test_a14_9_re_register_when_logged_in(self):
        await self.play(
            self.cast
            + """
A > 85 4e  4a␠␠{"op":"register","userId":"alice","newNode":"","aliases":"newalias bobby"}
A < 85 50  42␠␠{"op":"registered","id":"1795221448612-0","from":"alice","etc":10}"newalias"
A > 85 33  2f␠␠{"op":"ack","id":"1795221448612-0","type":"ok"}
"""
        )

    async def test_a14_10_to_13_lists(self):
        await self.play(
            self.cast
            + """
C > 85 42  3e␠␠{"op":"register","userId":"carol","newNode":"n0","aliases":""}
C < 85 17  13␠␠{"op":"registered"}
C > 85 31  2d␠␠{"op":"login","userId":"carol","nodeId":"n0"}
C < 85 23  1f␠␠{"op":"info","info":"ok login"}
A > 85 4c  48␠␠{"op":"listEdit","id":"L1","to":"thelist","type":"add","member":"carol"}
A < 85 7e 00 93  42␠␠{"op":"listEdited","id":"1795221452124-0","from":"alice","etc":77}{"list":"thelist","op":"add","date":"2026-11-21T00:37:32.123Z","uid":"carol"}
A < 85 26  22␠␠{"op":"ack","id":"L1","type":"ok"}
A > 85 33  2f␠␠{"op":"ack","id":"1795221452124-0","type":"ok"}
C < 85 7e 00 93  42␠␠{"op":"listEdited","id":"1795221452125-0","from":"alice","etc":77}{"list":"thelist","op":"add","date":"2026-11-21T00:37:32.123Z","uid":"carol"}
C > 85 33  2f␠␠{"op":"ack","id":"1795221452125-0","type":"ok"}
B > 85 4a  46␠␠{"op":"listEdit","id":"L2","to":"thelist","type":"add","member":"bob"}
B < 85 59  55␠␠{"op":"ack","id":"L2","type":"error","error":"listAdd list thelist by bob not found"}
A > 85 73  54␠␠{"op":"listEdit","id":"L4","to":"thelist","type":"invite","member":"bobby","etc":21}{"subject":"join us"}please
B < 85 5e  3f␠␠{"op":"deliver","id":"1795221454242-0","from":"alice","etc":21}{"subject":"join us"}please
B > 85 33  2f␠␠{"op":"ack","id":"1795221454242-0","type":"ok"}
A < 85 7e 00 98  42␠␠{"op":"listEdited","id":"1795221454243-0","from":"alice","etc":82}{"list":"thelist","op":"invite","date":"2026-11-21T00:37:34.123Z","alias":"bobby"}
A < 85 26  22␠␠{"op":"ack","id":"L4","type":"ok"}
A > 85 33  2f␠␠{"op":"ack","id":"1795221454243-0","type":"ok"}
B > 85 4a  46␠␠{"op":"listEdit","id":"L5","to":"thelist","type":"add","member":"bob"}
A < 85 7e 00 9f  40␠␠{"op":"listEdited","id":"1795221454250-0","from":"bob","etc":91}{"list":"thelist","op":"add","date":"2026-11-21T00:37:34.250Z","uid":"bob","alias":"bobby"}
A > 85 33  2f␠␠{"op":"ack","id":"1795221454250-0","type":"ok"}
B < 85 7e 00 9f  40␠␠{"op":"listEdited","id":"1795221454251-0","from":"bob","etc":91}{"list":"thelist","op":"add","date":"2026-11-21T00:37:34.250Z","uid":"bob","alias":"bobby"}
B < 85 26  22␠␠{"op":"ack","id":"L5","type":"ok"}
B > 85 33  2f␠␠{"op":"ack","id":"1795221454251-0","type":"ok"}
A > 85 30  2a␠␠{"op":"post","id":"P1","to":{"thelist":2}}l2
A < 85 26  22␠␠{"op":"ack","id":"P1","type":"ok"}
B < 85 3c  36␠␠{"op":"deliver","id":"1795221455001-0","from":"alice"}l2
B > 85 33  2f␠␠{"op":"ack","id":"1795221455001-0","type":"ok"}
D > 85 41  3d␠␠{"op":"register","userId":"dave","newNode":"n0","aliases":""}
D < 85 17  13␠␠{"op":"registered"}
D > 85 30  2c␠␠{"op":"login","userId":"dave","nodeId":"n0"}
D < 85 23  1f␠␠{"op":"info","info":"ok login"}
D > 85 30  2a␠␠{"op":"post","id":"P4","to":{"thelist":2}}no
D < 85 43  3f␠␠{"op":"ack","id":"P4","type":"ok","error":"uid dave not found"}
"""
        )

    async def test_a14_12_list_post_with_the_sender(self):
        # The ack and the delivery to the posting device may change places.
        await self.play(
            self.cast
            + """
A > 85 4a  46␠␠{"op":"listEdit","id":"L1","to":"thelist","type":"add","member":"bob"}
"""
        )
        alice = self.connections["A"]
        await alice.take("listEdited")
        await alice.expect("ack", id="L1")
        await alice.send_bytes(
            b'\x85\x302a  {"op":"post","id":"P2","to":{"thelist":3}}l3'
        )
        ack = await alice.expect("ack", id="P2")
        self.assertEqual(
            ack.raw, b'\x85\x2622  {"op":"ack","id":"P2","type":"ok"}'
        )
        self.assertEqual((await alice.take()).data, b"l3")

    async def test_a14_14_protocol_errors(self):
        for frame, info in (
            (b"\x85\x06ffff{}", "invalid length header"),
            (draft_frame(b'd   {"op":"nope"}'), "invalid request op"),
            (
                draft_frame(b'1f  {"op":"login","userId":"alice"}'),
                "login request missing param nodeId",
            ),
            (
                draft_frame(
                    b'2d  {"op":"login","userId":"alice","nodeId":"n0"}xyz'
                ),
                "message body disallowed for login",
            ),
        ):
            with self.subTest(info=info):
                client = await self.connect()
                await client.send_bytes(frame)
                await client.expect_quit(info)

    async def test_a14_14_silence(self):
        # The public port can't know yet what a silent client speaks.
        client = await self.connect(listener="mq")
        self.assertEqual(
            await client.read_to_end(),
            b'\x85\x2824  {"op":"quit","info":"close timeout"}\x81\x00',
        )

    async def test_a14_15_clean_close(self):
        await self.play(
            """
C > 81 00
C < 81 00
"""
        )


if __name__ == "__main__":
    unittest.main()
