# SPDX-License-Identifier: Apache-2.0
"""MQTT's retained messages from outside: paho and mosquitto, one node and
three."""

import subprocess
import time
import unittest

from tests.integration.cluster_harness import SHARDS, Cluster, until
from tests.integration.mqtt_case import MqttCase
from tests.integration.mqtt_client import (
    V5,
    V31,
    V311,
    DEADLINE,
    Client,
    Mosquitto,
    Refused,
    SubscribeOptions,
    need_paho,
)
from tests.integration.troupe_node import TroupeNode, binary

FULL = 'troupe_keys_refused_total{reason="full"}'


class Retained(MqttCase):
    settings = {"cluster.shards": 4}

    def got(self, client, count):
        return [client.next() for _ in range(count)]

    def values(self, client, count):
        return {m.topic: m.payload.decode() for m in self.got(client, count)}

    def marker(self, client, topic="marker"):
        """Nothing else came before this."""
        self.client().publish(topic, "end")
        message = client.next()
        self.assertEqual((message.topic, message.payload), (topic, b"end"))

    def test_who_subscribes_later_gets_the_last_one(self):
        for qos in (0, 1, 2):
            with self.subTest(qos=qos):
                topic = f"last/{qos}"
                writer = self.client()
                for n in range(5):
                    writer.publish(topic, f"v{n}", qos=qos, retain=True)
                until(
                    lambda: self.node.get_json(f"/keys/{topic}")["data"]
                    == "v4",
                    "not kept",
                )
                reader = self.client()
                reader.subscribe(topic, qos=2)
                message = reader.next()
                self.assertEqual(message.payload, b"v4")
                self.assertEqual((message.retain, message.qos), (1, qos))

    def test_properties_are_as_they_were(self):
        writer = self.client()
        writer.publish(
            "whole", "text", qos=1, retain=True,
            ContentType="text/plain", ResponseTopic="answers",
            CorrelationData=b"\x00\x01", PayloadFormatIndicator=1,
            MessageExpiryInterval=1000, UserProperty=("k", "v"),
        )
        reader = self.client()
        reader.subscribe("whole", qos=1)
        said = reader.next().properties
        self.assertEqual(said.ContentType, "text/plain")
        self.assertEqual(said.ResponseTopic, "answers")
        self.assertEqual(said.CorrelationData, b"\x00\x01")
        self.assertEqual(said.PayloadFormatIndicator, 1)
        self.assertEqual(said.UserProperty, [("k", "v")])
        self.assertLessEqual(said.MessageExpiryInterval, 1000)

    def test_an_empty_one_clears(self):
        writer = self.client()
        writer.publish("cleared/a", "x", qos=1, retain=True)
        listener = self.client()
        listener.subscribe("cleared/a", "marker")
        self.assertEqual(listener.next().payload, b"x")
        writer.publish("cleared/a", "", qos=1, retain=True)
        gone = listener.next()
        self.assertEqual((gone.payload, gone.retain), (b"", 0))
        self.assertEqual(self.node.get("/keys/cleared/a").status, 404)
        later = self.client()
        later.subscribe("cleared/#", "marker")
        self.marker(later)

    def test_without_the_flag_nothing_changes(self):
        writer = self.client()
        writer.publish("plain", "kept", qos=1, retain=True)
        writer.publish("plain", "passing", qos=1)
        writer.publish("plain", "", qos=1)
        reader = self.client()
        reader.subscribe("plain")
        self.assertEqual(reader.next().payload, b"kept")

    def test_order_of_what_is_kept_and_what_is_not(self):
        listener = self.client()
        listener.subscribe("order/#", qos=1)
        writer = self.client()
        for n in range(60):
            writer.paho.publish(
                f"order/{n % 3}", str(n), qos=1, retain=n % 2 == 0
            )
        self.assertEqual(
            [int(m.payload) for m in self.got(listener, 60)], list(range(60))
        )

    @staticmethod
    def subscribe(client, topic, handling):
        client.subscribe(
            (topic, SubscribeOptions(qos=1, retainHandling=handling))
        )

    def test_retain_handling(self):
        self.client().publish("handling", "x", qos=1, retain=True)
        client = self.client()
        client.subscribe("marker")
        self.subscribe(client, "handling", 2)
        self.marker(client)
        self.subscribe(client, "handling", 1)  # is not new
        self.marker(client)
        for _ in range(2):
            self.subscribe(client, "handling", 0)
            self.assertEqual(client.next().payload, b"x")
        client.unsubscribe("handling")
        self.subscribe(client, "handling", 1)
        self.assertEqual(client.next().payload, b"x")

    def test_shared_subscriptions_get_none(self):
        self.client().publish("shared/x", "x", qos=1, retain=True)
        client = self.client()
        client.subscribe("$share/g/shared/#", "marker")
        self.marker(client)

    def test_expiry(self):
        self.client().publish(
            "brief", "x", qos=1, retain=True, MessageExpiryInterval=1
        )
        until(
            lambda: self.node.get("/keys/brief").status == 404, "is still there"
        )
        client = self.client()
        client.subscribe("brief", "marker")
        self.marker(client)

    def test_expiry_in_a_session_that_stays(self):
        # It comes by its inbox, where it begins to wait when it is old.
        self.client().publish(
            "aged", "x", qos=2, retain=True, MessageExpiryInterval=100
        )
        time.sleep(2)  # the time is what is tested
        for qos in (1, 2):
            client = self.client(
                name=f"aged-{qos}", clean=False, SessionExpiryInterval=3600
            )
            client.subscribe("aged", qos=qos)
            message = client.next()
            self.assertEqual((message.qos, message.retain), (qos, 1))
            left = message.properties.MessageExpiryInterval
            self.assertLessEqual(left, 98)
            self.assertGreater(left, 50)

    def test_a_will_is_kept(self):
        client = self.client(
            will={"topic": "will/a", "payload": "gone", "qos": 1,
                  "retain": True}
        )
        client.drop()
        until(
            lambda: self.node.get("/keys/will/a").status == 200, "is not kept"
        )
        reader = self.client()
        reader.subscribe("will/+")
        message = reader.next()
        self.assertEqual((message.payload, message.retain), (b"gone", 1))

    def test_wildcards_over_many_keys_in_pages(self):
        writer = self.client()
        total = 1500
        for n in range(total):
            writer.paho.publish(f"many/{n}/x", str(n), qos=1, retain=True)
        until(
            lambda: self.node.metrics()["troupe_keys"] >= total, "not all kept"
        )
        for version in (V311, V5):
            reader = self.client(version=version)
            reader.subscribe("many/+/x", qos=1)
            values = self.values(reader, total)
            self.assertEqual(
                values, {f"many/{n}/x": str(n) for n in range(total)}
            )

    def test_dollar_topics_are_nobodys(self):
        client = self.client()
        client.paho.publish("$SYS/x", "x", qos=1, retain=True)
        self.assertEqual(client.end(), 0x87)

    def test_others_hear_it_as_any_other(self):
        """The command line sets and clears, and publishes both."""
        listener = self.client()
        listener.subscribe("cli/#")

        def troupe(*arguments, **more):
            return subprocess.run(
                [binary(), "key", *arguments, "--admin",
                 self.node.addresses["admin"][7:]],
                capture_output=True, text=True, timeout=DEADLINE, **more,
            )

        done = troupe("set", "cli/a", "hello", "--type", "text/plain",
                      "--qos", "1", "--ttl", "1h")
        self.assertEqual(done.returncode, 0, done.stderr)
        message = listener.next()
        self.assertEqual((message.payload, message.retain), (b"hello", 0))
        self.assertEqual(message.properties.ContentType, "text/plain")
        self.assertEqual(troupe("get", "cli/a").stdout, "hello\n")
        listed = troupe("list", "cli/#").stdout
        self.assertIn("cli/a", listed)
        self.assertIn("text/plain", listed)
        self.assertIn('"bytes":5', troupe("list", "cli/#", "--json").stdout)
        reader = self.client()
        reader.subscribe("cli/a", qos=2)
        self.assertEqual(reader.next().qos, 1)
        done = troupe("clear", "cli/a")
        self.assertEqual(done.stdout, "cleared cli/a\n")
        self.assertEqual(listener.next().payload, b"")
        self.assertNotEqual(troupe("get", "cli/a").returncode, 0)

    def test_admin_pages(self):
        writer = self.client()
        for n in range(7):
            writer.publish(f"admin/{n}", "x", qos=1, retain=True)
        seen, after = [], ""
        while True:
            page = self.node.get_json(
                f"/keys?filter=admin/%23&limit=2&after={after}"
            )
            self.assertEqual(page["unread_shards"], 0)
            seen += [row["topic"] for row in page["keys"]]
            if page["next"] is None:
                break
            after = page["next"]
        self.assertEqual(sorted(seen), [f"admin/{n}" for n in range(7)])

    def test_mosquitto(self):
        programs = Mosquitto(self.at)
        done = programs.pub("-t", "mosquitto/a", "-m", "kept", "-r", "-q", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        for version in (V31, V311, V5):
            sub = programs.sub(
                "-t", "mosquitto/#", "--retained-only", "-F", "%t %p %r",
                version=version,
            )
            self.assertEqual(sub.lines(), ["mosquitto/a kept 1"])


class Bounds(unittest.TestCase):
    def start(self, **settings):
        need_paho()
        node = TroupeNode({"cluster.shards": 1, **settings})
        self.addCleanup(node.remove)
        node.start()
        return node

    def client(self, node, **how):
        client = Client(node.address(), **how)
        self.addCleanup(client.drop)
        return client

    def test_one_too_many_is_told_and_all_else_goes_on(self):
        node = self.start(**{"keys.max": 2})
        listener = self.client(node)
        listener.subscribe("#", qos=1)
        writer = self.client(node)
        for topic in ("a", "b"):
            writer.publish(topic, "1", qos=1, retain=True)
            listener.next()
        before = node.metrics()[FULL]
        refused = subprocess.run(
            [binary(), "key", "set", "c", "x", "--admin",
             node.addresses["admin"][7:]],
            capture_output=True, text=True, timeout=DEADLINE,
        )
        self.assertNotEqual(refused.returncode, 0)
        self.assertEqual(node.metrics()[FULL], before + 1)
        writer.paho.publish("c", "not kept", qos=0, retain=True)
        self.assertEqual(listener.next().payload, b"not kept")
        writer.paho.publish("a", "2", qos=1, retain=True)
        self.assertEqual(listener.next().payload, b"2")
        writer.paho.publish("c", "plain", qos=1)
        self.assertEqual(listener.next().payload, b"plain")
        self.assertEqual(node.get("/keys/c").status, 404)
        self.assertEqual(node.get_json("/keys/a")["data"], "2")
        # Before MQTT 5 the connection's end is the only way to say no.
        old = self.client(node, version=V311)
        old.paho.publish("c", "x", qos=1, retain=True)
        old.end()

    def test_switched_off(self):
        node = self.start(**{"mqtt.retained": "false"})
        client = self.client(node)
        client.paho.publish("a", "x", qos=1, retain=True)
        self.assertEqual(client.end(), 0x9A)
        with self.assertRaises(Refused) as refusal:
            self.client(
                node, will={"topic": "a", "payload": "x", "retain": True}
            )
        self.assertEqual(refusal.exception.code, 0x9A)


class Nodes(unittest.TestCase):
    def setUp(self):
        need_paho()
        self.cluster = Cluster()
        self.addCleanup(self.cluster.remove)
        self.cluster.found(["n2", "n3"])
        self.cluster.settled({1, 2, 3})

    def client(self, node, **how):
        client = Client(node.address(), **how)
        self.addCleanup(client.drop)
        return client

    def read(self, node, count, topic="t/#"):
        client = self.client(node)
        client.subscribe(topic, qos=1)
        return {
            m.topic: m.payload.decode()
            for m in (client.next() for _ in range(count))
        }

    def publish(self, node, values):
        writer = self.client(node)
        for topic, value in values.items():
            writer.publish(topic, value, qos=1, retain=True)
        writer.drop()

    def test_the_same_everywhere_whoever_dies(self):
        nodes = list(self.cluster.nodes.values())
        expected = {f"t/{n}": f"first {n}" for n in range(4 * SHARDS)}
        self.publish(nodes[1], expected)
        for node in nodes:
            self.assertEqual(self.read(node, len(expected)), expected)
        ports = [node.addresses["cluster"] for node in nodes]
        nodes[0].kill()
        until(
            lambda: all(
                group.get("leader", 0) in (2, 3)
                for group in self.cluster.shards(nodes[1])
            ),
            "no leaders",
        )
        self.assertEqual(self.read(nodes[1], len(expected)), expected)
        again = {topic: "second" for topic in list(expected)[:7]}
        self.publish(nodes[2], again)
        expected |= again
        self.assertEqual(self.read(nodes[1], len(expected)), expected)
        for node in nodes[1:]:
            node.kill()
        for node, port in zip(nodes, ports):
            node.settings["cluster.listen"] = port
            node.spawn()
        for node in nodes:
            node.wait_ready()
        self.cluster.settled({1, 2, 3})
        for node in nodes:
            self.assertEqual(self.read(node, len(expected)), expected)

    def test_who_subscribes_while_it_is_published_ends_with_the_last(self):
        nodes = list(self.cluster.nodes.values())
        writer = self.client(nodes[0])
        rounds = 40
        for n in range(rounds):
            topic = f"race/{n}"
            reader = self.client(nodes[1 + n % 2])
            writer.paho.publish(topic, "old", qos=1, retain=True)
            reader.paho.subscribe(topic, qos=1)
            writer.paho.publish(topic, "new", qos=1, retain=True)
            got = []
            while b"new" not in got:
                got.append(reader.next().payload)
            writer.publish(topic, "end", qos=1)
            while got[-1] != b"end":
                got.append(reader.next().payload)
            # Both are read and heard, perhaps, and the old one comes late: but
            # never as the last value.
            self.assertEqual(got[-2], b"new", got)
            reader.drop()


if __name__ == "__main__":
    unittest.main()
