# SPDX-License-Identifier: Apache-2.0
"""The topics that MQTT shares with other doors, pair by pair: the table of
docs/crossing.md."""

import json
import unittest

from tests.integration import msgbus_client as msgbus
from tests.integration.cluster_harness import Cluster
from tests.integration.msgbus_events_test import parsed
from tests.integration.mqtt_case import MqttCase
from tests.integration.mqtt_client import Client
from tests.integration.pub_sub_test import PubSubCase
from tests.integration.zenconn_client import ZenconnClient


class Crossing(MqttCase):
    def listen(self, channel, fields=""):
        """A stream of events with all that is said of a message."""
        wire = msgbus.subscribe(
            self.node.address(),
            f"/msgbus/{channel}?format=json",
            "Accept: text/event-stream\r\n" + fields,
        )
        self.addCleanup(wire.close)
        self.assertEqual(wire.chunk(), b":\n\n")
        return wire

    @staticmethod
    def event(wire):
        while (chunk := wire.chunk()) == b":\n\n":
            pass
        return json.loads(parsed(chunk)["data"])

    def zenconn(self):
        client = ZenconnClient.connect(self.node.address())
        self.addCleanup(client.drop)
        return client

    def test_mqtt_to_msgbus(self):
        wire, root = self.listen("a/b%20c"), self.listen("")
        client = self.client()
        client.publish("a/b c", "at the root alone")
        client.publish(
            "a/b%20c", "hello", qos=2, ContentType="text/plain",
            UserProperty=("k", "v"),
        )
        for listener in (root, root, wire):
            got = self.event(listener)
            self.assertEqual(got.get("channel", "a/b%20c"), "a/b%20c")
        self.assertEqual(got["data"], "hello")
        self.assertEqual(got["type"], "text/plain")

    def test_msgbus_to_mqtt(self):
        client = self.client()
        client.subscribe("a/+", qos=2)
        msgbus.publish(
            self.node.address(), "/msgbus/a/b%20c", b"hello",
            "Content-Type: text/html\r\n",
        )
        got = client.next()
        self.assertEqual(
            (got.topic, got.payload, got.qos), ("a/b%20c", b"hello", 0)
        )
        self.assertEqual(got.properties.ContentType, "text/html")
        self.assertFalse(hasattr(got.properties, "UserProperty"))

    def test_mqtt_to_zenconn(self):
        browser = self.zenconn()
        browser.subscribe("room/1")
        self.client().publish(
            "room/1", '{"n":1}', ContentType="application/json"
        )
        self.assertEqual(browser.receive()["data"], {"n": 1})
        self.client().publish("room/1", "text")
        self.assertEqual(browser.receive()["data"], "text")

    def test_what_is_retained_is_heard_as_any_other(self):
        wire, browser = self.listen("kept/a"), self.zenconn()
        browser.subscribe("kept/a")
        for data in ("value", ""):
            self.client().publish("kept/a", data, qos=1, retain=True)
            self.assertEqual(self.event(wire)["data"], data)
            self.assertEqual(browser.receive()["data"], data)

    def test_a_user_property_is_nobodys_name(self):
        browser = self.zenconn()
        browser.subscribe("room/2")
        for name in ("zenconn-from", ":zenconn-from", "::zenconn-from"):
            self.client().publish(
                "room/2", "x", UserProperty=(name, "somebody")
            )
            self.assertNotEqual(browser.receive().get("from"), "somebody")

    def test_zenconn_to_mqtt(self):
        client = self.client()
        client.subscribe("room/#")
        browser = self.zenconn()
        browser.subscribe("room/1")
        browser.broadcast("room/1", {"n": 2})
        got = client.next()
        self.assertEqual(got.topic, "room/1")
        self.assertEqual(json.loads(got.payload), {"n": 2})
        self.assertEqual(got.properties.ContentType, "application/json")

    def test_what_belongs_to_other_doors_stays_there(self):
        """Private channels, and what the doors tell each other."""
        client = self.client()
        client.subscribe("#", "+/+/#")
        browser = self.zenconn()
        browser.subscribe("room/1")
        browser.broadcast("*", "to all")
        browser.broadcast("room/1", "marker")
        self.assertEqual(json.loads(client.next().payload), "marker")
        client.paho.subscribe("$zenconn/#")
        self.assertEqual(client.end(), 0x87)


class CommandLine(PubSubCase):
    @classmethod
    def setUpClass(cls):
        from tests.integration.troupe_node import TroupeNode

        cls.node = TroupeNode()
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()

    def subscriptions(self, node):
        samples = node.metrics()
        return super().subscriptions(node) + samples["troupe_mqtt_subscriptions"]

    def test_pub_and_sub_by_mqtt(self):
        for filter in ("news/+", "#"):
            listener = self.sub(
                self.node, "--via", "mqtt", "--count", "1", "--json", filter
            )
            said = self.pub(
                self.node, "--via", "mqtt", "--type", "text/x", "news/a",
                "hello",
            )
            self.assertEqual(said, "ok\n")
            got = json.loads(self.lines(listener)[0])
            self.assertEqual(got["channel"], "news/a")
            self.assertEqual(got["type"], "text/x")
            self.assertEqual(got["data"], "hello")

    def test_from_one_door_to_another(self):
        listener = self.sub(self.node, "--via", "mqtt", "--count", "1", "a/b")
        self.pub(self.node, "--via", "msgbus", "a/b", "x")
        self.assertIn("a/b: x", self.lines(listener)[0])
        listener = self.sub(self.node, "--via", "sse", "--count", "1", "a/b")
        self.pub(self.node, "--via", "mqtt", "a/b", "x")
        self.assertIn("a/b: x", self.lines(listener)[0])

    def test_what_is_no_topic_is_not_tried(self):
        text = self.pub(self.node, "--via", "mqtt", "a/+", "x", code=2)
        self.assertIn("CHANNEL", text)
        text = self.pub(self.node, "--via", "mqtt", "$SYS/a", "x", code=1)
        self.assertIn("not_granted", text)


class ThreeNodes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cluster = Cluster()
        cls.addClassCleanup(cluster.remove)
        cluster.found(["two", "three"])
        cls.nodes = cluster.running()

    def client(self, node):
        made = Client(node.address())
        self.addCleanup(made.drop)
        return made

    def clients(self):
        """One at each node."""
        return [self.client(node) for node in self.nodes]

    def test_messages_go_to_clients_of_other_nodes(self):
        here, there = self.clients()[:2]
        here.subscribe("far/#", qos=1)
        msgbus.until(
            lambda: (
                there.publish("far/probe", "p", qos=1) and
                not here.messages.empty()
            ),
            "the other node never heard of the subscription",
        )
        there.publish(
            "far/a", "last", qos=1, UserProperty=("k", "v"),
            CorrelationData=b"\0\xff",
        )
        while (got := here.next()).payload != b"last":
            pass
        self.assertEqual(got.qos, 1)
        self.assertEqual(got.properties.UserProperty, [("k", "v")])
        self.assertEqual(got.properties.CorrelationData, b"\0\xff")

    def test_one_of_all_who_share_gets_each_message(self):
        members, publishers = self.clients(), self.clients()
        for member in members:
            member.subscribe("mark/+")
            self.assertEqual(member.subscribe("$share/g/work/+", qos=1), [1])
        got = [[] for _ in members]

        def read(which):
            while not members[which].messages.empty():
                got[which].append(members[which].next().payload)

        def everybody_knows_all():
            for i, publisher in enumerate(publishers):
                publisher.publish("mark/probe", f"to all {i}", qos=1)
                publisher.publish("work/probe", f"to one {i}", qos=1)
            for i in range(3):
                read(i)
            return all(
                f"to {whom} {i}".encode() in mine
                for whom in ("all", "one") for i in range(3) for mine in got
            )

        msgbus.until(everybody_knows_all, "some node knows not all who share")
        wanted = []
        for i, publisher in enumerate(publishers):
            for n in range(30):
                wanted.append(f"{i} {n:02}".encode())
                publisher.publish("work/a", wanted[-1], qos=1)
            # Behind it on every way.
            publisher.publish("mark/end", f"end {i}", qos=1)
        for i in range(3):
            while not all(f"end {n}".encode() in got[i] for n in range(3)):
                got[i].append(members[i].next().payload)
        for mine in got:
            mine[:] = [p for p in mine if p in wanted]
            # Each publisher's node gives them turns: ten each of thirty.
            for i in range(3):
                self.assertEqual(
                    sum(p.startswith(b"%d " % i) for p in mine), 10
                )
        self.assertEqual(sorted(p for mine in got for p in mine), wanted)


if __name__ == "__main__":
    unittest.main()
