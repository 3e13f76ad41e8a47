# SPDX-License-Identifier: Apache-2.0
"""Clients of MQTT that mean harm, at a real node: each is told why, as far as
its version can, and is closed; counters and the log say so; and somebody else's
messages go on meanwhile.
"""

import random
import struct
import threading
import time
import unittest

from tests.integration.cluster_harness import until
from tests.integration.mqtt_case import MqttCase
from tests.integration.mqtt_client import (
    DEADLINE,
    V5,
    V31,
    V311,
    Client,
    connect,
    packet,
    text,
)

BOMB = "/".join(["a"] * 10_000)
SEED = 20

PROTOCOL = 'sessions_ended_total{reason="protocol"}'
REFUSED = 'refused_total{what="protocol"}'


class Steady(threading.Thread):
    """Two clients between whom a message goes after the other. Each must come,
    in order, until the end."""

    def __init__(self, at):
        super().__init__(daemon=True)
        self._reader = Client(at)
        self._writer = Client(at, V311)
        self._reader.subscribe("steady/#", qos=1)
        self._over = threading.Event()
        self.count = 0
        self.failure = None
        self.start()

    def run(self):
        try:
            while not self._over.is_set():
                said = str(self.count)
                self._writer.publish("steady/a", said, qos=1)
                got = self._reader.next().payload.decode()
                if got != said:
                    raise AssertionError(f"{got} came instead of {said}")
                self.count += 1
        except Exception as e:  # for the thread of the test
            self.failure = e

    def end(self):
        self._over.set()
        self.join(DEADLINE)
        self._reader.drop()
        self._writer.drop()
        return self.failure


class HostileCase(MqttCase):
    settings = {
        "log.level": "debug",
        "mqtt.packet_bytes_max": "64KiB",
        "mqtt.subscriptions_max": 100,
        "mqtt.client_id_bytes_max": 64,
        "mqtt.connect_timeout": "2s",
        "listen.opening_timeout": "2s",
    }

    def setUp(self):
        steady = Steady(self.at)

        def went_on():
            before = steady.count
            until(
                lambda: steady.failure or steady.count >= before + 5,
                "somebody else's messages do not go on",
            )
            self.assertIsNone(steady.end())

        self.addCleanup(went_on)

    def open(self, version=V5, name="evil", flags=2):
        raw = self.raw()
        raw.send(connect(version, name, flags=flags))
        first, body = raw.packet()
        self.assertEqual((first, body[1]), (0x20, 0))
        return raw

    def counted(self, name, before, count):
        until(
            lambda: self.metric(name) >= before + count,
            f"{name} is not {count} above {before}",
            DEADLINE,
        )

    def told(self, version, data, code):
        """One word, of MQTT 5, and the end."""
        with self.open(version) as raw:
            try:
                raw.send(data)
            except OSError:
                return  # who goes on sending may not hear why
            got = raw.rest()
        if version < V5 or (not got and len(data) > 1 << 16):
            self.assertEqual(got, [])
        else:
            self.assertEqual([first for first, _ in got], [0xE0], got)
            self.assertEqual(got[0][1][0], code, got)


class Packets(HostileCase):
    def test_oversize(self):
        before = self.metric(PROTOCOL)
        for version, head in ((V5, b"\0"), (V311, b""), (V31, b"")):
            body = text("a") + head + b"x" * (64 << 10)
            self.told(version, packet(0x30, body), 0x95)
            # Said alone is enough: none of it is waited for.
            self.told(version, b"\x30\xff\xff\xff\x7f", 0x95)
        # As large as is allowed is no offence.
        most = packet(0x30, text("a") + b"\0" + b"x" * ((64 << 10) - 8))
        self.assertEqual(len(most), 64 << 10)
        with self.open() as raw:
            raw.send(most + b"\xc0\0")
            self.assertEqual(raw.packet(), (0xD0, b""))
        self.counted(PROTOCOL, before, 6)
        self.assertEqual(self.metric(PROTOCOL), before + 6)
        self.node.wait_for_log("larger than the maximum packet size")

    def test_truncated(self):
        """Packets whose length says less than their fields."""
        whole = (
            (0x32, text("topic") + b"\0\1\0payload"),
            (0x82, b"\0\1\0" + text("a/b") + b"\1"),
            (0xA2, b"\0\1\0" + text("a/b")),
            (0xE0, b"\0\5\x11\0\0\0\1"),
            (0x40, b"\0\1\0\0"),
        )
        before = self.metric(PROTOCOL)
        ended = 0
        for first, body in whole:
            for length in range(len(body)):
                with self.open() as raw:
                    raw.send(packet(first, body[:length]) + b"\xc0\0")
                    got = raw.packet()
                    if got is not None and got[0] == 0xE0:
                        self.assertIn(got[1][0], (0x81, 0x82), (first, length))
                        self.assertIsNone(raw.packet())
                        ended += 1
        self.assertGreater(ended, 30)
        self.counted(PROTOCOL, before, ended)
        self.node.wait_for_log("ends in the middle of a field")

    def test_half_a_packet_and_the_end(self):
        open_before = self.node.metrics()["troupe_connections"]
        whole = packet(0x32, text("half") + b"\0\1\0" + b"x" * 1000)
        for length in (1, 2, 3, 10, len(whole) - 1):
            with self.open() as raw:
                raw.send(whole[:length])
        until(
            lambda: self.node.metrics()["troupe_connections"] <= open_before,
            "they are still there",
        )

    def test_wrong_order(self):
        before = self.metric(REFUSED)
        firsts = (
            packet(0x30, text("a") + b"x"),
            packet(0x82, b"\0\1" + text("a") + b"\0"),
            b"\xc0\0",
            b"\xe0\0",
            packet(0x20, b"\0\0"),
            packet(0xF0, b"\x18\0"),
        )
        for data in firsts:
            with self.subTest(data=data), self.raw() as raw:
                raw.send(data)
                self.assertEqual(raw.rest(), [])
        self.counted(REFUSED, before, len(firsts))
        self.node.wait_for_log("[MQTT-3.1.0-1]")
        for data, code in (
            (connect(V5), 0x82),
            (packet(0x40, b"\0\1"), None),  # late, and no harm
            (packet(0x62, b"\0\1"), None),
            (packet(0x70, b"\0\1"), None),
            (packet(0x90, b"\0\1\0\0"), 0x82),
            (packet(0xD0, b""), 0x82),
            (packet(0xF0, b"\x19\7\x15" + text("SCRA")), 0x82),
        ):
            with self.subTest(data=data):
                if code is not None:
                    self.told(V5, data, code)
                    continue
                with self.open() as raw:
                    raw.send(data + b"\xc0\0")
                    while (found := raw.packet()) != (0xD0, b""):
                        self.assertNotIn(found[0], (0xE0,))

    def test_reserved_bits(self):
        flags = {1: 0, 3: None, 4: 0, 5: 0, 6: 2, 7: 0, 8: 2, 10: 2, 12: 0,
                 14: 0, 15: 0}
        body = {
            4: b"\0\1", 5: b"\0\1", 6: b"\0\1", 7: b"\0\1",
            8: b"\0\1\0" + text("a") + b"\0", 10: b"\0\1\0" + text("a"),
            12: b"", 14: b"", 15: b"",
        }
        before = self.metric(PROTOCOL)
        ended = 0
        for kind, content in body.items():
            for bits in range(16):
                if bits == flags[kind]:
                    continue
                self.told(V5, packet(kind << 4 | bits, content), 0x81)
                ended += 1
        for options in (0x03, 0x40, 0x80, 0xC0):
            self.told(
                V5, packet(0x82, b"\0\1\0" + text("a") + bytes([options])), 0x81
            )
            ended += 1
        for kind in (0x00, 0x0F):
            self.told(V5, packet(kind), 0x81)
            ended += 1
        self.counted(PROTOCOL, before, ended)
        # The connect flags, too: then nothing is said at all.
        with self.raw() as raw:
            raw.send(connect(V311, flags=3))
            self.assertEqual(raw.rest(), [])

    def test_bad_utf8(self):
        bad = (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80",
               b"a\0b", b"\xe2\x82")
        before = self.metric(PROTOCOL)
        for raw in bad:
            field = text(raw)
            user = b"\x26" + field + text("v")
            for data in (
                packet(0x30, field + b"\0"),
                packet(0x82, b"\0\1\0" + field + b"\0"),
                packet(0xA2, b"\0\1\0" + field),
                packet(0x30, text("a") + bytes([1 + len(field)])
                       + b"\x03" + field),
                packet(0x30, text("a") + bytes([1 + len(field)])
                       + b"\x08" + field),
                packet(0x30, text("a") + bytes([len(user)]) + user),
            ):
                with self.subTest(data=data):
                    self.told(V5, data, 0x81)
        self.counted(PROTOCOL, before, 6 * len(bad))
        for raw_id in bad:
            for rest in (b"", text("user")):
                with self.subTest(name=raw_id), self.raw() as raw:
                    flags = 0x82 if rest else 2
                    raw.send(connect(V311, raw_id, flags=flags, rest=rest))
                    self.assertEqual(raw.rest(), [])
        self.node.wait_for_log("ill-formed UTF-8")

    def test_noise(self):
        """What is no protocol at all, before and behind a good CONNECT."""
        chance = random.Random(SEED)
        for n in range(300):
            noise = chance.randbytes(chance.randrange(1, 400))
            with self.raw() as raw:
                try:
                    if n % 2:
                        raw.send(connect(chance.choice((V31, V311, V5))))
                    raw.send(noise)
                    raw.end_sending()
                    raw.rest()
                except OSError:
                    pass  # closed before all of it was sent


class Bombs(HostileCase):
    def test_topics(self):
        before = self.metric(PROTOCOL)
        for version in (V5, V311):
            head = b"\0" if version == V5 else b""
            self.told(version, packet(0x30, text(BOMB) + head), 0x90)
        self.counted(PROTOCOL, before, 2)
        before = self.metric(REFUSED)
        for version, answer in ((V5, b"\0\x90"), (V311, None)):
            head = b"\0" if version == V5 else b""
            with self.subTest(will=version), self.raw() as raw:
                raw.send(
                    connect(version, flags=6, rest=head + text(BOMB) + text(""))
                )
                got = raw.rest()
                if answer is None:
                    self.assertEqual(got, [])
                else:
                    self.assertEqual(got[0][1][:2], answer)
        self.counted(REFUSED, before, 2)

    def test_filters(self):
        refused = 'refused_total{what="subscribe"}'
        before = self.metric(refused)
        bombs = (BOMB, BOMB.replace("a", "+"), "+/" * 9_999 + "#",
                 "$share/g/" + BOMB)
        with self.open() as raw:
            for bomb in bombs:
                raw.send(packet(0x82, b"\0\1\0" + text(bomb) + b"\0"))
                first, body = raw.packet()
                self.assertEqual((first, body[-1]), (0x90, 0x8F))
        with self.open(V311) as raw:
            raw.send(packet(0x82, b"\0\1" + text(BOMB) + b"\0"))
            self.assertEqual(raw.packet(), (0x90, b"\0\1\x80"))
        self.counted(refused, before, len(bombs) + 1)

    def test_subscriptions(self):
        """In one packet as well as one by one; those before stay."""
        refused = 'refused_total{what="subscribe"}'
        before = self.metric(refused)
        with self.open() as raw:
            many = b"".join(
                text(f"bomb/{n}/+") + b"\0" for n in range(4_000)
            )
            raw.send(packet(0x82, b"\0\1\0" + many))
            first, body = raw.packet()
            self.assertEqual(first, 0x90)
            codes = body[3:]
            self.assertEqual(codes, b"\0" * 100 + b"\x97" * 3_900)
            for n in range(50):
                raw.send(packet(0x82, b"\0\2\0" + text(f"more/{n}") + b"\0"))
                self.assertEqual(raw.packet(), (0x90, b"\0\2\0\x97"))
            raw.send(packet(0x30, text("bomb/7/x") + b"\0y"))
            self.assertEqual(raw.packet(), (0x30, text("bomb/7/x") + b"\0y"))
            self.counted(refused, before, 3_950)
        until(
            lambda: self.metric("subscriptions") < 100,
            "they stay when the client has gone",
        )

    def test_properties(self):
        """Thousands of user properties: more than a message may have."""
        user = b"\x26" + text("k") + text("v")
        properties = user * 9_000
        size = len(properties)
        length = bytes([size & 127 | 128, size >> 7 & 127 | 128, size >> 14])
        with self.open() as raw:
            raw.send(
                packet(0x32, text("a") + b"\0\1" + length + properties)
                + b"\xc0\0"
            )
            first, body = raw.packet()
            self.assertEqual((first, body[0]), (0xE0, 0x97))
            self.assertIsNone(raw.packet())


class Floods(HostileCase):
    def test_names(self):
        """More and more clients, each with a name of its own."""
        before = self.metric("sessions")
        raws = []
        for n in range(500):
            raws.append(self.raw())
            raws[-1].send(connect(V311, f"flood-{n}"))
        for raw in raws:
            self.assertEqual(raw.packet(), (0x20, b"\0\0"))
        self.assertGreaterEqual(self.metric("sessions"), before + 500)
        for raw in raws:
            raw.close()
        until(
            lambda: self.metric("sessions") <= before, "sessions of the gone"
        )

    def test_the_same_name_again_and_again(self):
        taken_over = 'sessions_ended_total{reason="taken_over"}'
        before = self.metric(taken_over)
        raws = [self.open(name="one") for _ in range(200)]
        for raw in raws[:-1]:
            first, body = raw.packet()
            self.assertEqual((first, body[0]), (0xE0, 0x8E))
            self.assertIsNone(raw.packet())
        self.counted(taken_over, before, 199)
        raws[-1].send(b"\xc0\0")
        self.assertEqual(raws[-1].packet(), (0xD0, b""))

    def test_long_names(self):
        for version, answer in ((V5, 0x85), (V311, 2), (V31, 2)):
            with self.subTest(version=version), self.raw() as raw:
                raw.send(connect(version, "n" * 65))
                first, body = raw.packet()
                self.assertEqual((first, body[1]), (0x20, answer))
                self.assertIsNone(raw.packet())

    def test_slow_connects(self):
        """A byte now and then, by many at once: it buys no time."""
        late = 'troupe_connections_refused_total{reason="opening_timeout"}'
        before = self.node.metrics()[late]
        slow = [self.raw() for _ in range(200)]
        for byte in connect(V5, "x" * 60):
            for raw in list(slow):
                try:
                    raw.send(bytes((byte,)))
                except OSError:
                    slow.remove(raw)  # it is closed
            time.sleep(0.1)  # what is slow about them
        self.assertEqual(slow, [], "somebody bought time")
        until(
            lambda: self.node.metrics()[late] >= before + 200, "not counted"
        )


class Sessions(HostileCase):
    settings = HostileCase.settings | {"mqtt.sessions_max": 20}

    def test_a_flood_of_sessions_that_stay(self):
        answers = []
        for n in range(200):
            with self.raw() as raw:
                raw.send(
                    packet(
                        0x10,
                        text("MQTT") + b"\5\0\0\0\5\x11"
                        + struct.pack(">I", 3600) + text(f"stays-{n}"),
                    )
                )
                answers.append(raw.packet()[1][1])
        self.assertEqual(answers[0], 0)
        self.assertEqual(answers[-1], 0x97)
        self.assertEqual(set(answers), {0, 0x97})
        # The bound is kept by each shard for its part.
        self.assertLess(answers.count(0), 100)
        # Who needs none comes in as ever.
        self.open(name="needs none").close()


if __name__ == "__main__":
    unittest.main()
