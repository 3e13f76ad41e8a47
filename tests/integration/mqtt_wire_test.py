# SPDX-License-Identifier: Apache-2.0
"""MQTT byte by byte: what is malformed, and WebSocket."""

import struct
import unittest

from tests.integration.mqtt_case import VERSIONS, MqttCase
from tests.integration.mqtt_client import (
    V5,
    V311,
    Client,
    Raw,
    Refused,
    connect,
    packet,
    text,
)
from tests.integration.troupe_node import TroupeNode


class Malformed(MqttCase):
    """Each offender is told, as far as its version can, and closed."""

    def after_connect(self, version, data):
        with self.raw() as raw:
            raw.send(connect(version))
            self.assertIsNotNone(raw.packet())
            raw.send(data)
            return raw.rest()

    def test_first_packets(self):
        cases = {
            b"\xc0\x00": [],  # PINGREQ
            connect(7): [(0x20, b"\0\x84")],
            packet(0x10, text("MQTX") + b"\x04\x02\0\0" + text("a")): [
                (0x20, b"\0\x84")
            ],
            packet(0x10, text("MQTT") + b"\x04\x03\0\0" + text("a")): [],
            connect(V311, "", flags=0): [(0x20, b"\0\x02")],
            packet(0x12, b""): [],
            b"\x10\xff\xff\xff\xff\x01": [],
        }
        for data, told in cases.items():
            with self.subTest(data=data[:20]), self.raw() as raw:
                raw.send(data)
                got = [(first, body[:2]) for first, body in raw.rest()]
                self.assertEqual(got, told)

    def test_packets_after_connect(self):
        bomb = b"/".join([b"a"] * 10_000)
        cases = [
            (connect(V5), 0x82),
            (packet(0x20, b"\0\0\0"), 0x82),
            (packet(0x36, text("a") + b"\0\x01\0"), 0x81),
            (packet(0x32, text("a") + b"\0\0\0"), 0x82),
            (packet(0x30, text("a/+") + b"\0"), 0x90),
            (packet(0x30, text(b"\xff") + b"\0"), 0x81),
            (packet(0x30, text(b"a\0b") + b"\0"), 0x81),
            (packet(0x30, text(bomb) + b"\0"), 0x90),
            (packet(0x80, b"\0\x01\0" + text("a") + b"\0"), 0x81),
            (packet(0x82, b"\0\x01\0"), 0x82),
            (packet(0x82, b"\0\x01\0" + text("a") + b"\xc0"), 0x81),
            (packet(0xF0, b"\x18\0"), 0x82),
            (packet(0x00, b""), 0x81),
            (packet(0x30, text("a") + b"\x03\x23\0\x41"), 0x94),
            (packet(0x30, text("") + b"\x03\x23\0\x01"), 0x82),
            (b"\x30\x81\x80\x80\x08", 0x95),
        ]
        for data, code in cases:
            with self.subTest(data=data[:20]):
                got = self.after_connect(V5, data)
                self.assertEqual(len(got), 1, got)
                self.assertEqual(got[0][0], 0xE0)
                self.assertEqual(got[0][1][0], code, got)

    def test_before_5_there_is_nothing_to_be_told(self):
        for data in (
            connect(V311),
            packet(0x36, text("a") + b"\0\x01"),
            packet(0x30, text(b"\xff")),
            packet(0x30, text(b"a\0b")),
            packet(0x80, b"\0\x01" + text("a") + b"\0"),
            packet(0xF0, b""),
        ):
            with self.subTest(data=data[:20]):
                self.assertEqual(self.after_connect(V311, data), [])

    def test_the_receive_maximum_is_meant(self):
        with self.raw() as raw:
            raw.send(connect(V5))
            raw.packet()
            for i in range(1, 1026):
                raw.send(packet(0x34, text("a") + struct.pack(">HB", i, 0)))
            got = raw.rest()
            self.assertEqual(len(got), 1025)
            self.assertEqual(got[-1][0], 0xE0)
            self.assertEqual(got[-1][1][0], 0x93)

    def test_others_go_on(self):
        client = self.client()
        client.subscribe("steady")
        for data in (b"\x10\xff\xff\xff\xff\x01", b"\xf0\xf0", b"\x10\x80"):
            with self.raw() as raw:
                raw.send(data)
        client.publish("steady", "on")
        self.assertEqual(client.next().payload, b"on")


class WebSocket(MqttCase):
    def at_web(self, path, **options):
        return self.client(at=self.node.address(), websocket=path, **options)

    def test_both_paths_and_all_versions(self):
        for path in ("/mqtt", "/ws"):
            for version in VERSIONS:
                with self.subTest(path=path, version=version):
                    client = self.at_web(path, version=version)
                    client.subscribe("w", qos=2)
                    client.publish("w", b"x" * 70_000, qos=2)
                    self.assertEqual(len(client.next().payload), 70_000)

    def handshake(self, fields):
        raw = Raw(self.node.address())
        self.addCleanup(raw.close)
        raw.send(
            (
                "GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n"
                + fields + "\r\n"
            ).encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += raw._exactly(1)
        return raw, head.decode()

    @staticmethod
    def frame(payload, opcode=2, final=True):
        size = len(payload)
        head = bytes([(0x80 if final else 0) | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        else:
            head += bytes([0x80 | 126]) + struct.pack(">H", size)
        return head + b"\0\0\0\0" + payload

    def test_the_subprotocol(self):
        for name in ("mqtt", "mqttv3.1"):
            _, head = self.handshake(f"Sec-WebSocket-Protocol: {name}\r\n")
            self.assertIn(" 101 ", head)
            self.assertIn(f"Sec-WebSocket-Protocol: {name}\r\n", head)
        _, head = self.handshake("Sec-WebSocket-Protocol: amqp\r\n")
        self.assertNotIn(" 101 ", head)

    def test_packets_may_begin_and_end_anywhere(self):
        raw, _ = self.handshake("Sec-WebSocket-Protocol: mqtt\r\n")
        data = (
            connect(V311, "pieces")
            + packet(0x82, b"\0\x01" + text("p") + b"\0")
            + packet(0x30, text("p") + b"1")
            + packet(0x30, text("p") + b"2")
        )
        for i in range(0, len(data), 3):
            raw.send(self.frame(data[i : i + 3]))
        got = b""
        wanted = (
            packet(0x20, b"\0\0") + packet(0x90, b"\0\x01\0")
            + packet(0x30, text("p") + b"1") + packet(0x30, text("p") + b"2")
        )
        while len(got) < len(wanted):
            head = raw._exactly(2)
            self.assertEqual(head[0], 0x82)
            got += raw._exactly(head[1])
        self.assertEqual(got, wanted)

    def test_a_text_message_ends_it(self):
        raw, _ = self.handshake("Sec-WebSocket-Protocol: mqtt\r\n")
        raw.send(self.frame(connect(), opcode=1))
        head = raw._exactly(4)
        self.assertEqual(head[0], 0x88)
        self.assertEqual(head[2:], struct.pack(">H", 1003))

    def test_who_is_refused_is_told(self):
        node = TroupeNode({"auth.anonymous": "deny"})
        self.addCleanup(node.remove)
        node.start()
        with self.assertRaises(Refused) as caught:
            Client(node.address(), websocket="/ws", version=V311)
        self.assertEqual(caught.exception.code, 5)


if __name__ == "__main__":
    unittest.main()
