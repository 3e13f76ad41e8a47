# SPDX-License-Identifier: Apache-2.0
"""websocket.MQ messages inside RFC 6455: the handshake, masking, fragments,
control frames and close codes."""

import struct
import unittest

from tests.integration.mq_case import MqCase
from tests.integration.mq_client import MqClient, Transport
from tests.integration.mq_frames import encode_message, websocket_frame


class WebSocket(MqCase):
    transport = Transport.WEBSOCKET

    async def bare(self):
        """A connection without a handshake, read as RFC 6455 after one."""
        client = await MqClient.connect(self.node.address())
        client.transport = Transport.WEBSOCKET
        self.addCleanup(client.vanish)
        return client

    def registration(self):
        return encode_message(
            {
                "op": "register",
                "userId": self.name("ws"),
                "newNode": "n0",
                "aliases": "",
            }
        )

    async def closed_with(self, raw, *codes):
        """Sends bytes and expects a close frame with one of the codes; a quit
        may come first."""
        client = await self.connect()
        await client.send_bytes(raw)
        while (frame := await client.receive_frame()).opcode != 8:
            self.assertEqual(frame.opcode, 2)
        self.assertIn(struct.unpack(">H", frame.payload[:2])[0], codes)

    async def test_upgrade_is_answered(self):
        client = await self.bare()
        status, fields = await client.request_upgrade("/mq")
        self.assertEqual(status, 101)
        self.assertEqual(fields["upgrade"].lower(), "websocket")
        self.assertEqual(fields["connection"].lower(), "upgrade")
        self.assertNotIn("sec-websocket-extensions", fields)
        self.assertNotIn("sec-websocket-protocol", fields)

    async def test_unknown_path_is_not_found(self):
        client = await self.bare()
        status, _ = await client.request_upgrade("/nowhere")
        self.assertEqual(status, 404)

    async def test_other_versions_are_refused(self):
        client = await self.bare()
        await client.send_bytes(
            b"GET /mq HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 8\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        answer = await client.read_bytes()
        self.assertTrue(answer.startswith(b"HTTP/1.1 426"), answer[:40])
        self.assertIn(b"sec-websocket-version: 13", answer.lower())

    async def test_handshake_may_arrive_in_pieces_with_frames_behind(self):
        client = await self.bare()
        request = (
            b"GET /mq HTTP/1.1\r\nHost: x\r\n"
            b"Connection: keep-alive, Upgrade\r\n"
            b"Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ) + websocket_frame(self.registration())
        for start in range(0, len(request), 7):
            await client.send_bytes(request[start : start + 7])
        head = b""
        while b"\r\n\r\n" not in head:
            head += await client.read_bytes()
        # The accept key of RFC 6455 1.3.
        self.assertIn(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", head)
        self.assertTrue(head.startswith(b"HTTP/1.1 101"))

    async def test_fragments_are_put_together(self):
        client = await self.connect()
        message = self.registration()
        await client.send_bytes(
            websocket_frame(message[:3], final=False)
            + websocket_frame(b"are you there?", opcode=9)
            + websocket_frame(message[3:9], opcode=0, final=False)
            + websocket_frame(b"", opcode=0, final=False)
            + websocket_frame(message[9:], opcode=0)
        )
        pong = await client.receive_frame()
        self.assertEqual((pong.opcode, pong.payload), (10, b"are you there?"))
        self.assertEqual((await client.receive()).op, "registered")

    async def test_unasked_pongs_are_ignored(self):
        client = await self.connect()
        await client.send_bytes(websocket_frame(b"hello", opcode=10))
        await client.send_bytes(websocket_frame(self.registration()))
        self.assertEqual((await client.receive()).op, "registered")

    async def test_unmasked_frames_are_refused(self):
        await self.closed_with(
            websocket_frame(self.registration(), mask=False), 1002
        )

    async def test_reserved_bits_and_opcodes_are_refused(self):
        for raw in (
            websocket_frame(self.registration(), reserved=4),
            websocket_frame(self.registration(), reserved=1),
            websocket_frame(b"", opcode=3),
            websocket_frame(b"", opcode=11),
        ):
            await self.closed_with(raw, 1002)

    async def test_control_frames_are_small_and_whole(self):
        for raw in (
            websocket_frame(b"x" * 126, opcode=9),
            websocket_frame(b"x", opcode=9, final=False),
            websocket_frame(b"x", opcode=0),
            websocket_frame(b"x", final=False) + websocket_frame(b"y"),
        ):
            await self.closed_with(raw, 1002)

    async def test_close_codes_are_checked(self):
        for payload in (b"\x03", struct.pack(">H", 1005), struct.pack(">H", 0)):
            await self.closed_with(websocket_frame(payload, opcode=8), 1002)
        bad_text = struct.pack(">H", 1000) + b"\xff"
        await self.closed_with(websocket_frame(bad_text, opcode=8), 1002, 1007)

    async def test_close_code_is_echoed(self):
        for code in (1000, 1001, 4321):
            await self.closed_with(
                websocket_frame(struct.pack(">H", code), opcode=8), code
            )

    async def test_close_without_code(self):
        client = await self.connect()
        await client.send_bytes(websocket_frame(b"", opcode=8))
        frame = await client.receive_frame()
        self.assertEqual(frame.opcode, 8)
        self.assertEqual(await client.read_bytes(), b"")

    async def test_announced_giant_is_refused_at_once(self):
        header = b"\x82\xff" + struct.pack(">Q", 1 << 62) + b"mask"
        await self.closed_with(header, 1002, 1009)


if __name__ == "__main__":
    unittest.main()
