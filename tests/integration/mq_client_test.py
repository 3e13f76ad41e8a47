# SPDX-License-Identifier: Apache-2.0
"""The test client itself: frames, messages, and its waiting, against known
bytes and a scripted peer. Needs no node."""

import asyncio
import struct
import unittest

from tests.integration.mq_client import Disconnected, MqClient, Transport
from tests.integration.mq_frames import (
    decode_message,
    draft_frame,
    encode_message,
    masked,
    take_frame,
    websocket_frame,
)


class Frames(unittest.TestCase):
    def test_login_frame_has_the_documented_bytes(self):
        payload = encode_message(
            {"op": "login", "userId": "alice", "nodeId": "n0"}
        )
        self.assertEqual(
            draft_frame(payload),
            bytes.fromhex(
                "85313264 20207b226f70223a226c6f67696e222c22757365724964223a22"
                "616c696365222c226e6f64654964223a226e30227d"
            ),
        )

    def test_lengths_take_one_two_or_eight_bytes(self):
        self.assertEqual(draft_frame(b"x" * 125)[:2], b"\x85\x7d")
        self.assertEqual(draft_frame(b"x" * 126)[:4], b"\x85\x7e\x00\x7e")
        self.assertEqual(draft_frame(b"x" * 65535)[:4], b"\x85\x7e\xff\xff")
        self.assertEqual(
            draft_frame(b"x" * 65536)[:10],
            b"\x85\x7f" + struct.pack(">Q", 65536),
        )

    def test_upper_half_of_a_length_is_free(self):
        frame = draft_frame(b"x" * 70000, upper=70000)
        self.assertEqual(frame[2:6], frame[6:10])

    def test_take_frame_waits_for_the_last_byte(self):
        for size in (0, 125, 126, 65535, 65536):
            whole = draft_frame(b"y" * size)
            buffer = bytearray(whole[:-1]) if size else bytearray(whole[:1])
            self.assertIsNone(take_frame(buffer))
            buffer += whole[len(buffer) :] + b"next"
            self.assertEqual(take_frame(buffer).payload, b"y" * size)
            self.assertEqual(buffer, b"next")

    def test_client_frames_are_masked(self):
        frame = websocket_frame(b"Hello")
        self.assertEqual(frame[:2], b"\x82\x85")
        self.assertEqual(masked(frame[6:], frame[2:6]), b"Hello")

    def test_server_frames_must_not_be_masked(self):
        with self.assertRaises(AssertionError):
            take_frame(bytearray(websocket_frame(b"Hello")))

    def test_empty_payload_can_be_masked(self):
        self.assertEqual(masked(b"", b"abcd"), b"")


class Messages(unittest.TestCase):
    def test_etc_and_data_come_back(self):
        data = bytes(range(256))
        payload = encode_message(
            {"op": "post", "id": "m1"}, {"subject": "h\u00e9"}, data
        )
        message = decode_message(payload)
        self.assertEqual(message.etc_json, {"subject": "h\u00e9"})
        self.assertEqual(message.data, data)
        self.assertEqual(message["id"], "m1")

    def test_header_is_ascii(self):
        encode_message({"op": "login", "userId": "\u4e2d"}).decode("ascii")

    def test_length_header_must_be_canonical(self):
        with self.assertRaises(AssertionError):
            decode_message(b"1B  " + b" " * 27)


class Waiting(unittest.IsolatedAsyncioTestCase):
    """Against a peer that sends a script and ends."""

    async def client(self, script):
        async def serve(reader, writer):
            writer.write(script)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.addCleanup(server.close)
        client = await MqClient.connect(server.sockets[0].getsockname())
        self.addCleanup(client.vanish)
        return client

    @staticmethod
    def script(*headers):
        return b"".join(draft_frame(encode_message(h)) for h in headers)

    async def test_expect_keeps_what_it_passes_over(self):
        client = await self.client(
            self.script(
                {"op": "deliver", "id": "1-0", "from": "a"},
                {"op": "ack", "id": "x", "type": "ok"},
            )
        )
        self.assertEqual((await client.expect("ack", id="x"))["type"], "ok")
        self.assertEqual((await client.expect("deliver"))["id"], "1-0")
        self.assertEqual(client.kept(), [])

    async def test_quit_ends_every_other_expectation(self):
        client = await self.client(
            self.script({"op": "quit", "info": "no"}) + b"\x81\x00"
        )
        with self.assertRaises(AssertionError):
            await client.expect("info")

    async def test_quit_is_followed_by_close_frame_and_fin(self):
        client = await self.client(
            self.script({"op": "quit", "info": "no"}) + b"\x81\x00"
        )
        self.assertEqual(await client.expect_quit("no"), "no")

    async def test_bytes_behind_the_close_frame_are_refused(self):
        client = await self.client(b"\x81\x00\x85\x00")
        with self.assertRaises(AssertionError):
            await client.expect_end()

    async def test_fin_alone_is_no_polite_end(self):
        client = await self.client(b"")
        with self.assertRaises(Disconnected) as caught:
            await client.receive()
        self.assertFalse(caught.exception.close_frame)

    async def test_cancelled_wait_loses_no_bytes(self):
        script = self.script({"op": "info", "info": "ok login"})
        more = asyncio.Event()

        async def serve(reader, writer):
            writer.write(script[:5])
            await more.wait()
            writer.write(script[5:])
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.addCleanup(server.close)
        client = await MqClient.connect(server.sockets[0].getsockname())
        self.addCleanup(client.vanish)
        with self.assertRaises(TimeoutError):
            await client.receive(deadline=0.05)
        more.set()
        self.assertEqual((await client.receive()).op, "info")

    async def test_websocket_fragments_and_pings(self):
        payload = encode_message({"op": "info", "info": "ok login"})
        ponged = asyncio.get_running_loop().create_future()

        async def serve(reader, writer):
            writer.write(
                websocket_frame(payload[:7], final=False, mask=False)
                + websocket_frame(b"hi", opcode=9, mask=False)
                + websocket_frame(payload[7:], opcode=0, mask=False)
            )
            pong = await reader.readexactly(8)
            ponged.set_result(masked(pong[6:], pong[2:6]))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.addCleanup(server.close)
        address = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*address)
        client = MqClient(reader, writer, Transport.WEBSOCKET)
        self.addCleanup(client.vanish)
        self.assertEqual((await client.receive())["info"], "ok login")
        self.assertEqual(await ponged, b"hi")


if __name__ == "__main__":
    unittest.main()
