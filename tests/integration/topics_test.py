# SPDX-License-Identifier: Apache-2.0
"""Publish and subscribe from outside, over the admin interface: a node alone,
three nodes, and one of them that goes and comes back."""

import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from tests.integration.cluster_harness import Cluster, until
from tests.integration.troupe_node import TroupeNode

# A tail is answered before a request gives up.
TAIL_SECONDS = 8


class Topics:
    """What tests of topics do at nodes."""

    def __init__(self):
        self._threads = ThreadPoolExecutor(16)

    def close(self):
        self._threads.shutdown()

    def tail(self, node, topic_filter, count=1, seconds=TAIL_SECONDS):
        """Listens; the result has what came."""

        def listen():
            query = urlencode(
                {"filter": topic_filter, "count": count, "seconds": seconds}
            )
            answer = node.get_json(f"/topics/tail?{query}")
            return [m["data"] for m in answer["messages"]]

        return self._threads.submit(listen)

    @staticmethod
    def publish(node, topic, data):
        answer = node.request(
            "POST", "/topics/publish", {"topic": topic, "data": data}
        )
        assert answer.status == 200, answer.body
        return answer.json

    @staticmethod
    def filters(node):
        """Filters as a node knows them: (held here, nodes that want it)."""
        rows = node.get_json("/interest?limit=1000")["filters"]
        return {
            r["filter"]: (r["subscriptions"], set(r["nodes"])) for r in rows
        }

    def wait_for(self, node, topic_filter, seen):
        until(
            lambda: self.filters(node).get(topic_filter) == seen,
            f"{topic_filter} is not {seen} at {node}",
        )


class AloneTest(unittest.TestCase):
    def setUp(self):
        self.topics = Topics()
        self.addCleanup(self.topics.close)
        self.node = TroupeNode()
        self.addCleanup(self.node.remove)
        self.node.start()

    def test_what_is_published_is_heard(self):
        heard = self.topics.tail(self.node, "a/+", 2)
        self.topics.wait_for(self.node, "a/+", (1, set()))
        self.assertEqual(
            self.topics.publish(self.node, "a/b", "one"),
            {"filters": 1, "nodes": 0, "dropped": 0},
        )
        self.assertEqual(
            self.topics.publish(self.node, "b", "nobody")["filters"], 0
        )
        self.topics.publish(self.node, "a/c", "two")
        self.assertEqual(heard.result(), ["one", "two"])
        until(lambda: not self.topics.filters(self.node), "still held")
        samples = self.node.metrics()
        self.assertEqual(samples["troupe_publishes_total"], 3)
        self.assertEqual(samples["troupe_publishes_unmatched_total"], 1)
        self.assertEqual(samples["troupe_topic_filters"], 0)

    def test_time_is_up(self):
        begun = time.monotonic()
        self.assertEqual(self.topics.tail(self.node, "#", 5, 1).result(), [])
        self.assertLess(time.monotonic() - begun, 5)

    def test_nonsense_is_refused(self):
        node = self.node
        for path in (
            "/topics/tail?filter=a%2B",
            "/topics/tail?count=0",
            "/topics/tail?count=x",
            "/topics/tail?seconds=61",
            "/interest?limit=0",
            "/interest?after=x",
        ):
            self.assertEqual(node.get(path).status, 400, path)
        for body in (b"{", b"[]", b"{}", b'{"topic": "a/+"}'):
            answer = node.request("POST", "/topics/publish", body)
            self.assertEqual(answer.status, 400, body)

    def test_a_node_stops_while_somebody_listens(self):
        self.topics.tail(self.node, "#")
        self.topics.wait_for(self.node, "#", (1, set()))
        self.assertEqual(self.node.stop(), 0, self.node.log())


class LimitTest(unittest.TestCase):
    def test_a_node_holds_so_many_filters(self):
        topics = Topics()
        self.addCleanup(topics.close)
        node = TroupeNode({"topics.filters_max": 1})
        self.addCleanup(node.remove)
        node.start()
        first = topics.tail(node, "a", 1)
        topics.wait_for(node, "a", (1, set()))
        answer = node.get("/topics/tail?filter=b")
        self.assertEqual(answer.status, 400, answer.body)
        self.assertIn("1 different topic filters", answer.json["detail"])
        topics.publish(node, "a", "x")
        self.assertEqual(first.result(), ["x"])


class ThreeNodesTest(unittest.TestCase):
    def setUp(self):
        self.topics = Topics()
        self.addCleanup(self.topics.close)
        self.cluster = Cluster()
        self.addCleanup(self.cluster.remove)
        self.cluster.found(["n2", "n3"])
        self.cluster.settled({1, 2, 3})
        self.nodes = {
            self.cluster.number_of(n): n for n in self.cluster.running()
        }

    def test_every_pair_of_nodes(self):
        heard = {
            i: self.topics.tail(node, "pairs/#", 3)
            for i, node in self.nodes.items()
        }
        for i, node in self.nodes.items():
            self.topics.wait_for(node, "pairs/#", (1, {1, 2, 3} - {i}))
        for i, node in self.nodes.items():
            answer = self.topics.publish(node, f"pairs/{i}", f"of {i}")
            self.assertEqual(answer, {"filters": 1, "nodes": 2, "dropped": 0})
        for each in heard.values():
            self.assertEqual(sorted(each.result()), ["of 1", "of 2", "of 3"])
        for node in self.nodes.values():
            until(lambda n=node: not self.topics.filters(n), "still wanted")
            samples = node.metrics()
            self.assertEqual(samples["troupe_publications_sent_total"], 2)
            self.assertEqual(samples["troupe_publications_received_total"], 2)
            self.assertEqual(samples["troupe_publications_stray_total"], 0)

    def test_a_node_that_comes_back(self):
        one, three = self.nodes[1], self.nodes[3]
        first = self.topics.tail(three, "x")
        self.topics.wait_for(one, "x", (0, {3}))
        self.topics.publish(one, "x", "before")
        self.assertEqual(first.result(), ["before"])

        lost = self.topics.tail(three, "x")
        self.topics.wait_for(one, "x", (0, {3}))
        three.kill()
        self.assertIsNotNone(lost.exception())
        until(lambda: not self.topics.filters(one), "wanted by the dead")
        self.assertEqual(self.topics.publish(one, "x", "lost")["nodes"], 0)

        three.start()
        again = self.topics.tail(three, "x")
        self.topics.wait_for(one, "x", (0, {3}))
        self.topics.publish(one, "x", "after")
        self.assertEqual(again.result(), ["after"])
        peers = one.get_json("/interest")["peers"]
        self.assertEqual({p["node"] for p in peers}, {2, 3})
        self.assertTrue(all(p["known"] and p["told"] for p in peers), peers)
        self.assertEqual(sum(p["divergences"] for p in peers), 0)


if __name__ == "__main__":
    unittest.main()
