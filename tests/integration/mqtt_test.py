# SPDX-License-Identifier: Apache-2.0
"""MQTT's door from outside, with clients of others."""

import json
import socket
import struct
import time
import unittest

from tests.integration.mqtt_client import (
    DEADLINE,
    V5,
    V31,
    V311,
    Client,
    Mosquitto,
    Raw,
    Refused,
    connect,
    packet,
    text,
)
from tests.integration.rights_test import EFFECT_SECONDS, Rights
from tests.integration.troupe_node import TroupeNode, within

VERSIONS = (V31, V311, V5)


class MqttCase(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode({"listen.mqtt": "127.0.0.1:0"} | cls.settings)
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()
        cls.at = cls.node.address("mqtt")
        cls.rights = Rights(cls.node)

    def client(self, *arguments, at=None, **options):
        made = Client(at or self.at, *arguments, **options)
        self.addCleanup(made.drop)
        return made

    def refused(self, **options):
        with self.assertRaises(Refused) as caught:
            self.client(**options)
        return caught.exception.code

    def raw(self, *arguments, **options):
        made = Raw(self.at, *arguments, **options)
        self.addCleanup(made.close)
        return made

    def metric(self, name):
        return self.node.metrics().get("troupe_mqtt_" + name, 0)

    def give_token(self, uid, *grants):
        if grants:
            self.rights.post(
                "accounts", {"uid": uid, "op": "give", "grants": list(grants)}
            )
        return self.rights.post("tokens", {"uid": uid}, status=201)["token"]


class Mosquittos(MqttCase):
    """Debian's mosquitto-clients."""

    def setUp(self):
        self.programs = Mosquitto(self.at)

    def test_every_version_and_qos(self):
        for version in VERSIONS:
            for qos in "012":
                with self.subTest(version=version, qos=qos):
                    topic = f"v{version}/q{qos}"
                    sub = self.programs.sub(
                        "-t", topic + "/+", "-q", qos, "-F", "%t %q %p",
                        version=version,
                    )
                    done = self.programs.pub(
                        "-t", topic + "/a", "-q", qos, "-m", "hello",
                        version=version,
                    )
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertEqual(sub.lines(), [f"{topic}/a {qos} hello"])

    def test_the_public_port_tells_it_from_others(self):
        public = Mosquitto(self.node.address())
        sub = public.sub("-t", "#", "-F", "%t %p")
        self.programs.pub("-t", "a/b", "-m", "x")
        self.assertEqual(sub.lines(), ["a/b x"])

    def test_many_messages_keep_their_order(self):
        for qos in "012":
            sub = self.programs.sub(
                "-t", "order", "-q", qos, "-F", "%p", count=500
            )
            lines = [str(i) for i in range(500)]
            done = self.client(version=V311)
            for line in lines:
                done.paho.publish("order", line, int(qos))
            self.assertEqual(sub.lines(), lines)

    def test_request_and_response(self):
        answerer = self.client()
        answerer.subscribe("question")

        def answer(_client, _data, message):
            said = message.properties
            answerer.publish(
                said.ResponseTopic,
                message.payload.upper(),
                CorrelationData=said.CorrelationData,
            )

        answerer.paho.on_message = answer
        done = self.programs.rr(
            "-t", "question", "-e", "answer/1", "-m", "what", "-D", "publish",
            "correlation-data", "17",
        )
        self.assertEqual(done.stdout.strip(), "WHAT", done.stderr)


class Messages(MqttCase):
    def test_what_a_message_says_of_itself_arrives(self):
        subscriber, publisher = self.client(), self.client()
        subscriber.subscribe("a/#", qos=2, SubscriptionIdentifier=77)
        publisher.publish(
            "a/b",
            "hello",
            qos=2,
            PayloadFormatIndicator=1,
            MessageExpiryInterval=3600,
            ContentType="text/plain",
            ResponseTopic="answers",
            CorrelationData=b"\0\xff",
            UserProperty=[("k", "1"), (":k", "2"), ("k", "1")],
        )
        got = subscriber.next()
        self.assertEqual((got.topic, got.payload, got.qos), ("a/b", b"hello", 2))
        said = got.properties
        self.assertEqual(said.PayloadFormatIndicator, 1)
        self.assertLessEqual(said.MessageExpiryInterval, 3600)
        self.assertGreater(said.MessageExpiryInterval, 3500)
        self.assertEqual(said.ContentType, "text/plain")
        self.assertEqual(said.ResponseTopic, "answers")
        self.assertEqual(said.CorrelationData, b"\0\xff")
        self.assertEqual(
            said.UserProperty, [("k", "1"), (":k", "2"), ("k", "1")]
        )
        self.assertEqual(said.SubscriptionIdentifier, [77])

    def test_what_is_available_is_said(self):
        client = self.client(SessionExpiryInterval=3600)
        said = client.welcome
        self.assertFalse(hasattr(said, "SessionExpiryInterval"))
        self.assertFalse(hasattr(said, "RetainAvailable"))
        self.assertFalse(hasattr(said, "SharedSubscriptionAvailable"))
        self.assertEqual(said.ReceiveMaximum, 1024)
        self.assertEqual(said.MaximumPacketSize, 1 << 20)
        self.assertEqual(said.TopicAliasMaximum, 64)
        self.assertTrue(said.AssignedClientIdentifier)

    def test_overlapping_subscriptions_and_no_local(self):
        from tests.integration.mqtt_client import SubscribeOptions

        client, other = self.client(), self.client()
        self.assertEqual(
            client.subscribe("o/+", "o/#", ("o/a", 2)), [0, 0, 2]
        )
        other.publish("o/a", "once", qos=2)
        other.publish("o/b", "last")
        # Those of different QoS may pass each other.
        self.assertEqual(sorted(client.payloads(2)), [b"last", b"once"])
        self.assertTrue(client.messages.empty())
        listener = self.client()
        listener.subscribe(("n", SubscribeOptions(0, noLocal=True)))
        listener.publish("n", "mine")
        other.publish("n", "theirs")
        self.assertEqual(listener.next().payload, b"theirs")

    def test_unsubscribed_is_silence(self):
        client, other = self.client(), self.client()
        client.subscribe("u/a", "u/b")
        client.unsubscribe("u/a")
        other.publish("u/a", "no")
        other.publish("u/b", "yes")
        self.assertEqual(client.next().payload, b"yes")

    def test_shares_take_turns(self):
        sharing = [self.client(version=v) for v in (V5, V311, V5)]
        for each in sharing:
            self.assertEqual(each.subscribe("$share/g/s/+", qos=1), [1])
        publisher = self.client()
        for i in range(30):
            publisher.publish("s/a", str(i), qos=1)
        got = [[m.payload for m in (c.next() for _ in range(10))]
               for c in sharing]
        self.assertEqual(
            sorted(int(p) for each in got for p in each), list(range(30))
        )
        for each in sharing:
            self.assertTrue(each.messages.empty())

    def test_wildcards_pass_over_the_nodes_own_topics(self):
        client = self.client()
        client.subscribe("#")
        other = self.client()
        other.publish("$SYS/x", "no")
        self.assertEqual(other.end(), 0x87)
        self.client().publish("x", "yes")
        self.assertEqual(client.next().payload, b"yes")

    def test_dup_is_not_handed_on(self):
        with self.raw() as raw:
            raw.send(
                connect(V311, "dup")
                + packet(0x82, b"\0\x01" + text("dup") + b"\x01")
                + packet(0x3A, text("dup") + b"\0\x09x")
            )
            got = [raw.packet()[0] for _ in range(4)]
            self.assertEqual(sorted(got), [0x20, 0x32, 0x40, 0x90])

    def test_topic_aliases_both_ways(self):
        topic = "a/topic/that/is/long/enough/for/an/alias"
        with self.raw() as raw:
            properties = b"\x03\x22\0\x02"
            raw.send(
                packet(
                    0x10,
                    text("MQTT") + b"\x05\x02\0\0" + properties + text("aliases"),
                )
            )
            self.assertEqual(raw.packet()[1][1], 0)
            raw.send(packet(0x82, b"\0\x01\0" + text("#") + b"\0"))
            raw.packet()
            # By us: given once, then used.
            alias = b"\x03\x23\0\x07"
            raw.send(packet(0x30, text(topic) + alias + b"1"))
            raw.send(packet(0x30, text("") + alias + b"2"))
            self.assertEqual(
                raw.packet(), (0x30, text(topic) + b"\x03\x23\0\x01" + b"1")
            )
            self.assertEqual(
                raw.packet(), (0x30, text("") + b"\x03\x23\0\x01" + b"2")
            )

    def test_two_hundred_subscribers_get_it_all(self):
        raws = []
        for i in range(200):
            raw = self.raw()
            raw.send(connect(V311, f"fan{i}"))
            raw.send(packet(0x82, b"\0\x01" + text("fan") + b"\0"))
            raws.append(raw)
        for raw in raws:
            self.assertEqual(raw.packet(), (0x20, b"\0\0"))
            self.assertEqual(raw.packet(), (0x90, b"\0\x01\0"))
        publisher = self.client(version=V311)
        for i in range(50):
            publisher.publish("fan", str(i))
        for raw in raws:
            got = [raw.packet() for _ in range(50)]
            wanted = [
                (0x30, text("fan") + str(i).encode()) for i in range(50)
            ]
            self.assertEqual(got, wanted)

    def test_who_reads_slowly_loses_qos_0_alone(self):
        slow = self.raw(receive_buffer=4096)
        slow.send(connect(V311, "slow"))
        slow.send(packet(0x82, b"\0\x01" + text("slow") + b"\x01"))
        slow.packet(), slow.packet()
        publisher = self.client(version=V311)
        before = self.metric('dropped_total{reason="slow"}')
        payload = b"x" * 50_000
        for _ in range(300):
            publisher.paho.publish("slow", payload)
            last = publisher.paho.publish("slow", b"kept", 1)
        last.wait_for_publish(DEADLINE)
        self.assertTrue(last.is_published())
        self.assertGreater(
            self.metric('dropped_total{reason="slow"}'), before
        )
        slow.read_fast()
        kept = 0
        while kept < 300:
            first, body = slow.packet()
            if first == 0x32:
                self.assertTrue(body.endswith(b"kept"))
                slow.send(packet(0x40, body[6:8]))
                kept += 1

    def test_metrics_and_connections(self):
        client = self.client()
        client.subscribe("m", qos=1)
        client.publish("m", "x", qos=1)
        client.next()
        self.assertGreaterEqual(self.metric("sessions"), 1)
        self.assertGreaterEqual(self.metric("subscriptions"), 1)
        self.assertGreaterEqual(self.metric('received_total{qos="1"}'), 1)
        self.assertGreaterEqual(self.metric('sent_total{qos="1"}'), 1)


class NoSessions(MqttCase):
    settings = {"mqtt.sessions": "false"}

    def test_nothing_stays(self):
        client = self.client(SessionExpiryInterval=3600)
        self.assertEqual(client.welcome.SessionExpiryInterval, 0)
        client = self.client(version=V311, name="old", clean=False)
        self.assertEqual(client.flags["session present"], 0)
        client.subscribe("old", qos=1)
        client.close()
        again = self.client(version=V311, name="old", clean=False)
        self.assertEqual(again.flags["session present"], 0)


class Lives(MqttCase):
    """How sessions begin and end."""

    def test_the_same_client_again_takes_over(self):
        watcher = self.client()
        watcher.subscribe("gone")
        for version in (V5, V311):
            first = self.client(
                version=version,
                name="twice",
                will={"topic": "gone", "payload": "1"},
            )
            second = self.client(version=version, name="twice")
            code = first.end()
            if version == V5:
                self.assertEqual(code, 0x8E)
            self.assertEqual(watcher.next().payload, b"1")
            second.publish("gone", "2", qos=1)
            self.assertEqual(watcher.next().payload, b"2")

    def test_an_operator_sees_sessions_and_ends_them(self):
        client = self.client(name="lamp/1")
        self.client(name="lamp/2", version=V311)
        page = self.node.get_json("/mqtt/sessions?limit=1&after=lamp/")
        self.assertEqual(page["next"], "lamp/1")
        row = page["sessions"][0]
        self.assertEqual(row["client"], "lamp/1")
        self.assertEqual(row["version"], "5")
        rows = self.node.get_json("/mqtt/sessions?after=lamp/1")["sessions"]
        self.assertEqual(rows[0]["version"], "3.1.1")
        path = "/mqtt/sessions?client=lamp/1"
        self.assertEqual(self.node.request("DELETE", path).status, 200)
        self.assertEqual(client.end(), 0x98)
        self.assertEqual(self.node.request("DELETE", path).status, 404)

    def test_a_will_is_for_those_who_say_no_goodbye(self):
        watcher = self.client()
        watcher.subscribe("will/#")

        def dying(name, **options):
            return self.client(
                will={"topic": f"will/{name}", "payload": "x", "qos": 1},
                **options,
            )

        dying("polite").close()
        dying("dropped").drop()
        self.assertEqual(watcher.next().topic, "will/dropped")
        with_will = dying("asked")
        from paho.mqtt.reasoncodes import ReasonCodes
        from paho.mqtt.packettypes import PacketTypes

        with_will.close(
            ReasonCodes(PacketTypes.DISCONNECT, "Disconnect with will message")
        )
        self.assertEqual(watcher.next().topic, "will/asked")
        old = dying("old", version=V311)
        old.drop()
        self.assertEqual(watcher.next().topic, "will/old")

    def test_who_is_silent_goes(self):
        with self.raw() as raw:
            raw.send(connect(V5, "silent", keep_alive=1))
            raw.packet()
            began = time.monotonic()
            self.assertEqual(raw.packet()[1][0], 0x8D)
            self.assertGreaterEqual(time.monotonic() - began, 1.4)
            self.assertIsNone(raw.packet())

    def test_no_connect_in_time(self):
        node = TroupeNode(
            {
                "listen.mqtt": "127.0.0.1:0",
                "listen.opening_timeout": "300ms",
                "mqtt.connect_timeout": "300ms",
            }
        )
        self.addCleanup(node.remove)
        node.start()
        steady = self.client(at=node.address("mqtt"))
        upgrade = (
            b"GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n"
            b"Sec-WebSocket-Protocol: mqtt\r\n\r\n"
        )
        late = 0
        for door, said in (
            ("mqtt", b""),
            ("mqtt", connect()[:5]),
            ("public", b""),
            ("public", connect()[:5]),
            ("public", upgrade),
        ):
            with self.subTest(door=door, said=said[:5]):
                with Raw(node.address(door)) as raw:
                    raw.send(said)
                    began = time.monotonic()
                    while raw.packet() is not None:
                        pass  # of an upgrade, its answer
                    self.assertLess(time.monotonic() - began, within(5))
                late += 1
                self.assertEqual(
                    node.metrics()[
                        'troupe_connections_refused_total'
                        '{reason="opening_timeout"}'
                    ],
                    late,
                )
        # A byte now and then buys no time.
        with Raw(node.address("mqtt")) as raw, self.assertRaises(OSError):
            for byte in connect(name="x" * 200):
                raw.send(bytes((byte,)))
                time.sleep(0.02)
        steady.publish("still/there", "x", qos=1)

    def test_a_node_that_stops_says_so(self):
        node = TroupeNode({"listen.mqtt": "127.0.0.1:0"})
        self.addCleanup(node.remove)
        node.start()
        now = self.client(at=node.address("mqtt"))
        with Raw(node.address("mqtt")) as old:
            old.send(connect(V311, "old"))
            old.packet()
            self.assertEqual(node.stop(), 0)
            self.assertEqual(now.end(), 0x8B)
            self.assertIsNone(old.packet())


    def test_behind_workers_it_has_ports_of_its_own(self):
        node = TroupeNode(
            {"listen.mqtt": "127.0.0.1:0"}, arguments=("--workers", "1")
        )
        self.addCleanup(node.remove)
        node.start()
        for version, code in ((V31, 3), (V311, 3), (V5, 0x88)):
            for websocket in (None, "/mqtt"):
                self.assertEqual(
                    self.refused(
                        at=node.address(), version=version, websocket=websocket
                    ),
                    code,
                )
        client = self.client(at=node.address("mqtt"))
        client.subscribe("a", qos=1)
        client.publish("a", "x", qos=1)
        self.assertEqual(client.next().payload, b"x")


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
