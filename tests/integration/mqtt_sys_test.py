# SPDX-License-Identifier: Apache-2.0
"""What a node tells under $SYS."""

import queue
import time
import unittest

from tests.integration.cluster_harness import Cluster
from tests.integration.mqtt_client import DEADLINE, Client, SubscribeOptions
from tests.integration.troupe_node import TroupeNode

SETTINGS = {
    "listen.mqtt": "127.0.0.1:0",
    "mqtt.sys_interval": "200ms",
    "auth.grants": "publish:#,subscribe:#,subscribe:$SYS/#",
}


class Told:
    """The last value of each topic that a client has heard."""

    def __init__(self, case, address, *filters):
        self.client = Client(address)
        case.addCleanup(self.client.drop)
        self.client.subscribe(*filters)
        self.values = {}

    def wait(self, question, why):
        end = time.monotonic() + DEADLINE
        while not question(self.values):
            try:
                message = self.client.next(max(0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{why}: {self.values}") from None
            self.values[message.topic] = message.payload.decode()


class Sys(unittest.TestCase):
    def test_a_node_tells_what_it_counts(self):
        node = TroupeNode(SETTINGS)
        self.addCleanup(node.remove)
        at = node.start().address("mqtt")
        told = Told(self, at, "$SYS/broker/#")

        def has(topic, value):
            return lambda values: values.get("$SYS/broker/" + topic) == value

        told.wait(has("clients/connected", "1"), "one client")
        other = Client(at)
        self.addCleanup(other.drop)
        told.wait(has("clients/connected", "2"), "two clients")
        for n in range(5):
            other.publish("a/topic", str(n), qos=1)
        told.wait(has("publish/messages/received", "5"), "five messages")
        told.wait(
            lambda values: float(
                values.get("$SYS/broker/load/publish/received/1min", 0)
            )
            > 0,
            "a rate",
        )
        other.drop()
        told.wait(has("clients/connected", "1"), "one client is gone")
        self.assertEqual(told.values["$SYS/broker/clients/total"], "2")
        self.assertRegex(told.values["$SYS/broker/uptime"], r"^\d+ seconds$")

    def test_it_is_not_for_everybody(self):
        settings = {k: v for k, v in SETTINGS.items() if k != "auth.grants"}
        node = TroupeNode(settings | {"mqtt.denied": "answer"})
        self.addCleanup(node.remove)
        client = Client(node.start().address("mqtt"))
        self.addCleanup(client.drop)
        self.assertEqual(client.subscribe("$SYS/#", "#"), [0x87, 0])

    def test_no_wildcard_reaches_it(self):
        node = TroupeNode(SETTINGS)
        self.addCleanup(node.remove)
        at = node.start().address("mqtt")
        told = Told(self, at, "#", "+/broker/#", "$SYS/broker/node")
        told.wait(lambda values: "$SYS/broker/node" in values, "its name")
        self.assertEqual(list(told.values), ["$SYS/broker/node"])

    def test_who_subscribes_gets_what_there_is_at_once(self):
        node = TroupeNode(SETTINGS | {"mqtt.sys_interval": "1h"})
        self.addCleanup(node.remove)
        at = node.start().address("mqtt")
        told = Client(at)
        self.addCleanup(told.drop)
        told.subscribe("$SYS/broker/clients/#", "$SYS/brokers/+/node")
        seen = {}
        while len(seen) < 3:
            message = told.next()
            self.assertTrue(message.retain, message.topic)
            seen[message.topic.split("/", 2)[-1]] = message.payload
        self.assertEqual(seen["clients/connected"], b"1")
        self.assertEqual(seen["clients/total"], b"1")
        # Retain handling: 2 never, 1 if it is new.
        other = Client(at)
        self.addCleanup(other.drop)
        topic = "$SYS/broker/clients/connected"
        other.subscribe((topic, SubscribeOptions(0, retainHandling=2)))
        other.unsubscribe(topic)
        other.subscribe((topic, SubscribeOptions(0, retainHandling=1)))
        self.assertEqual(other.next().payload, b"2")
        other.subscribe((topic, SubscribeOptions(0, retainHandling=1)))
        other.subscribe(("$SYS/broker/version", SubscribeOptions(0)))
        self.assertEqual(other.next().topic, "$SYS/broker/version")

    def test_every_node_is_heard_of_everywhere(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        more = {k.replace(".", "__"): v for k, v in SETTINGS.items()}
        first = cluster.node("n1", **more).start()
        cluster.node("n2", [first], **more).start()
        cluster.settled({1, 2})
        at = cluster.nodes["n2"].address("mqtt")
        told = Told(
            self, at, "$SYS/brokers/+/clients/connected", "$SYS/broker/node"
        )
        counts = {f"$SYS/brokers/n{n}/clients/connected" for n in (1, 2)}
        told.wait(lambda values: counts <= set(values), "both nodes")
        told.wait(lambda values: "$SYS/broker/node" in values, "its own")
        self.assertEqual(told.values["$SYS/broker/node"], "n2")
        self.assertEqual(told.values["$SYS/brokers/n1/clients/connected"], "0")
        self.assertEqual(told.values["$SYS/brokers/n2/clients/connected"], "1")


if __name__ == "__main__":
    unittest.main()
