# SPDX-License-Identifier: Apache-2.0
"""Where a node that drains, or is removed, sends clients of MQTT."""

import unittest

from tests.integration.cluster_harness import Cluster, until
from tests.integration.mqtt_client import V5, V31, V311, Raw, connect

USE_ANOTHER_SERVER, SERVER_MOVED = 0x9C, 0x9D
CONNACK, DISCONNECT = 0x20, 0xE0


def settings(name, **more):
    return {
        "listen__mqtt": "127.0.0.1:0",
        "mqtt__advertise": f"{name}.example:1883",
        **more,
    }


class Redirection(unittest.TestCase):
    def cluster(self, **more):
        """Two nodes; the second one is the one that goes."""
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        first = cluster.node("n1", **settings("n1", **more)).start()
        second = cluster.node("n2", [first], **settings("n2", **more)).start()
        cluster.settled({1, 2})
        # A CONNACK names who has said where it is; so it is tried.
        return cluster, first, second

    def come(self, node, version, name):
        raw = Raw(node.address("mqtt"))
        self.addCleanup(raw.close)
        raw.send(connect(version, name))
        return raw, raw.packet()

    def drain(self, first, node):
        answer = first.request("POST", "/nodes/2/drain")
        self.assertEqual(answer.status, 200, answer.text)
        until(
            lambda: "draining" in node.get("/readyz").text,
            "the node does not know that it drains",
        )

    def test_who_comes_to_a_node_that_drains_is_told_where_to_go(self):
        _, first, second = self.cluster()
        self.drain(first, second)

        def named():
            raw, (kind, body) = self.come(second, V5, "new")
            self.assertEqual(kind, CONNACK)
            self.assertEqual(body[1], USE_ANOTHER_SERVER)
            self.assertIsNone(raw.packet())
            return b"n1.example:1883" in body

        until(named, "the other node is not named")
        for version in (V31, V311):
            with self.subTest(version=version):
                raw, told = self.come(second, version, "old")
                self.assertEqual(told, (CONNACK, b"\0\3"))
                self.assertIsNone(raw.packet())
        # It takes them again when that is over.
        self.assertEqual(
            first.request("POST", "/nodes/2/undrain").status, 200
        )
        until(
            lambda: self.come(second, V5, "again")[1][1][1] == 0,
            "nobody may come again",
        )

    def test_who_is_there_is_sent_away(self):
        _, first, second = self.cluster(cluster__drain_spread="1s")
        there = {
            version: [self.come(second, version, f"{version}-{n}")[0]
                      for n in range(5)]
            for version in (V5, V311)
        }
        self.drain(first, second)
        for raw in there[V5]:
            kind, body = raw.packet()
            self.assertEqual((kind, body[0]), (DISCONNECT, USE_ANOTHER_SERVER))
            self.assertIn(b"n1.example:1883", body)
            self.assertIsNone(raw.packet())
        for raw in there[V311]:  # it has no word for it
            self.assertIsNone(raw.packet())

    def test_nobody_is_hurried(self):
        """They go one by one over the time that is set, and are served until
        their turn."""
        _, first, second = self.cluster(cluster__drain_spread="1h")
        there = [self.come(second, V5, f"c{n}")[0] for n in range(8)]
        self.drain(first, second)
        served = 0
        for raw in there:
            raw.send(b"\xc0\0")
            served += raw.packet() == (0xD0, b"")
        self.assertGreater(served, 4)  # an hour is long
        # Removed for good: at once, and with another word.
        answer = first.request("POST", "/nodes/2/remove?force=true")
        self.assertEqual(answer.status, 200, answer.text)
        last = [raw.rest() for raw in there]
        told = [each[-1] for each in last if each]
        self.assertIn(
            SERVER_MOVED, [body[0] for kind, body in told if kind == DISCONNECT]
        )
        for kind, body in told:
            self.assertEqual(kind, DISCONNECT)
            if body[0] == SERVER_MOVED:
                self.assertIn(b"n1.example:1883", body)


class WithoutAnAddress(unittest.TestCase):
    def test_there_is_no_reference(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        first = cluster.node("n1", listen__mqtt="127.0.0.1:0").start()
        second = cluster.node("n2", [first], listen__mqtt="127.0.0.1:0").start()
        cluster.settled({1, 2})
        self.assertEqual(first.request("POST", "/nodes/2/drain").status, 200)

        def refused():
            with Raw(second.address("mqtt")) as raw:
                raw.send(connect(V5, "new"))
                kind, body = raw.packet()
            return body if body[1] == USE_ANOTHER_SERVER else None

        body = until(refused, "it does not drain")
        # Property 0x1C, Server Reference.
        self.assertNotIn(b"\x1c", body[3:4])


if __name__ == "__main__":
    unittest.main()
