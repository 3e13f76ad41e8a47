# SPDX-License-Identifier: Apache-2.0
"""MQTT's door from outside, with clients of others: what is said arrives."""

import unittest

from tests.integration.mqtt_case import VERSIONS, MqttCase
from tests.integration.mqtt_client import (
    DEADLINE,
    V5,
    V311,
    Mosquitto,
    connect,
    packet,
    text,
)


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


if __name__ == "__main__":
    unittest.main()
