# SPDX-License-Identifier: Apache-2.0
"""Channels as operators see them: born with their listeners at any door, gone
when nobody is left; of one node, and of three put together."""

import json
import subprocess
import unittest
import urllib.request
from urllib.parse import quote, urlencode

from tests.integration.cluster_harness import Cluster, until
from tests.integration.troupe_node import TroupeNode, binary
from tests.integration.zenconn_client import ZenconnClient

SECRET = "the applications' secret"
SOON = "200ms"


def msgbus(node, channel):
    return "http://{}:{}/msgbus/{}".format(*node.address("public"), channel)


class ChannelsCase(unittest.TestCase):
    def curl(self, node, channel):
        """Listens until the test, or curl.kill(), ends it."""
        listener = subprocess.Popen(
            ["curl", "--silent", "--no-buffer", msgbus(node, channel)],
            stdout=subprocess.DEVNULL,
        )

        def end():
            listener.kill()
            listener.wait()

        self.addCleanup(end)
        return listener

    def zenconn(self, node, channel, *arguments):
        client = ZenconnClient.connect(node.address("public"))
        self.addCleanup(client.drop)
        answer = client.subscribe(channel, *arguments)
        self.assertEqual(answer["type"], "subscribed")
        return client

    @staticmethod
    def publish(node, channel, data=b"12345"):
        request = urllib.request.Request(msgbus(node, channel), data)
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 204, answer.status

    @staticmethod
    def rows(node, **query):
        answer = node.get_json("/channels?" + urlencode(query))
        return {
            r["topic"]: r
            for r in answer["channels"]
            if not r["topic"].startswith("$")
        }

    def wait_for(self, node, topic, query=None, **figures):
        """Until a channel is there with these figures."""

        def seen():
            row = self.rows(node, **(query or {})).get(topic)
            assert row, f"no {topic}"
            for key, value in figures.items():
                assert row[key] == value, row
            return row

        return until(seen, f"{topic} has not {figures}")

    def wait_until_gone(self, node, topic):
        until(lambda: topic not in self.rows(node), f"{topic} is there")

    @staticmethod
    def troupe(node, *arguments):
        done = subprocess.run(
            [binary(), *arguments, "--admin", node.addresses["admin"][7:]],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


class OneNodeTest(ChannelsCase):
    def setUp(self):
        self.node = TroupeNode(
            {"topics.passivate_after": SOON, "zenconn.secret": SECRET}
        )
        self.addCleanup(self.node.remove)
        self.node.start()

    def test_listeners_of_all_doors_are_in_one_channel(self):
        self.assertEqual(self.rows(self.node), {})
        curl = self.curl(self.node, "news/today")
        self.wait_for(self.node, "news/today", listeners=1, published=0)
        client = self.zenconn(self.node, "news/today")
        self.wait_for(self.node, "news/today", listeners=2)
        for _ in range(3):
            self.publish(self.node, "news/today")
        row = self.wait_for(
            self.node, "news/today", published=3, delivered=6, dropped=0
        )
        self.assertGreater(row["rate"], 0)
        self.assertFalse(row["private"])

        actor = self.node.get_json("/actors/channels/default/news/today")
        self.assertEqual(actor["kind"], "channel")
        self.assertEqual(actor["path"], "/channels/default/news/today")
        self.assertGreaterEqual(actor["mailbox"], 0)
        self.assertIn("age_ms", actor)
        state = actor["state"]
        self.assertEqual(
            sorted(s["door"] for s in state["sessions"]),
            ["msgbus", "zenconn"],
        )
        sessions = self.node.get_json("/sessions")["sessions"]
        self.assertEqual(
            {s["session"] for s in state["sessions"]},
            {s["id"] for s in sessions},
        )
        self.assertEqual(state["counters"]["bytes"], 15)
        listed = self.node.get_json("/actors?prefix=channels/default")
        self.assertIn(
            "/channels/default/news/today",
            [a["path"] for a in listed["actors"]],
        )

        shown = self.troupe(self.node, "channel", "list")
        self.assertRegex(shown, r"(?m)^news/today +default +2 ")
        shown = self.troupe(self.node, "channel", "show", "news/today")
        self.assertIn("listeners: 2, users 0", shown)
        self.assertIn("all nodes: 2 listeners", shown)
        shown = self.troupe(self.node, "channel", "list", "--json")
        self.assertIn("channels", json.loads(shown))

        curl.kill()
        self.wait_for(self.node, "news/today", listeners=1)
        client.drop()
        self.wait_until_gone(self.node, "news/today")
        gone = self.node.get("/actors/channels/default/news/today")
        self.assertEqual(gone.status, 404)
        metrics = self.node.metrics()
        self.assertGreaterEqual(metrics["troupe_channels_passivated_total"], 1)
        self.assertEqual(metrics["troupe_channels_unshown_total"], 0)

    def test_who_is_present(self):
        token = self.node.request(
            "POST", "/rights/tokens", {"uid": "anna"}
        ).json["token"]
        listeners = [
            ZenconnClient.connect(self.node.address("public"), bearer=token)
            for _ in range(2)
        ]
        for each in listeners:
            self.addCleanup(each.drop)
            each.subscribe("lobby")
        self.wait_for(self.node, "lobby", listeners=2, users=1)
        path = "/actors/channels/default/lobby"
        present = self.node.get_json(path)["state"]["presence"]
        self.assertEqual(
            [(p["uid"], p["connections"]) for p in present], [("anna", 2)]
        )
        listeners[0].drop()
        self.wait_for(self.node, "lobby", listeners=1, users=1)
        listeners[1].drop()
        self.wait_until_gone(self.node, "lobby")

    def test_a_private_channel_says_so(self):
        self.zenconn(self.node, "private.x", SECRET)

        def private():
            answer = self.node.get_json("/channels?prefix=$zenconn/private")
            return [row for row in answer["channels"] if row["private"]]

        (row,) = until(private, "it is not there, or not private")
        state = self.node.get_json("/actors" + quote(row["path"], safe="/"))
        self.assertTrue(state["state"]["private"])

    def test_wildcards_are_no_channels(self):
        self.curl(self.node, "")  # everything
        until(
            lambda: self.node.metrics()["troupe_msgbus_subscribers"] == 1,
            "nobody listens",
        )
        self.publish(self.node, "x")
        self.assertEqual(self.rows(self.node), {})

    def test_pages(self):
        for i in range(5):
            self.curl(self.node, f"page/{i}")
        self.curl(self.node, "page/3")
        self.wait_for(self.node, "page/3", listeners=2)
        until(lambda: len(self.rows(self.node)) == 5, "not all are there")
        seen, after = [], ""
        while after is not None:
            page = self.node.get_json(
                "/channels?"
                + urlencode({"limit": 2, "prefix": "page/", "after": after})
            )
            seen += [r["topic"] for r in page["channels"]]
            after = page["next"]
        self.assertEqual(seen, [f"page/{i}" for i in (3, 0, 1, 2, 4)])
        for query in ("limit=0", "sort=size", "scope=world", "after=x"):
            with self.subTest(query):
                self.assertEqual(
                    self.node.get(f"/channels?{query}").status, 400
                )


class LimitsTest(ChannelsCase):
    def test_above_the_bound_they_are_served(self):
        node = TroupeNode({"topics.channels_max": 1, "zenconn.enabled": "false"})
        self.addCleanup(node.remove)
        node.start()
        self.curl(node, "shown")
        self.wait_for(node, "shown", listeners=1)
        self.curl(node, "not shown".replace(" ", "-"))
        until(
            lambda: node.metrics()["troupe_channels_unshown_total"] >= 1,
            "it is shown",
        )
        before = node.metrics()["troupe_publications_delivered_total"]
        self.publish(node, "not-shown")
        until(
            lambda: node.metrics()["troupe_publications_delivered_total"]
            == before + 1,
            "it is not served",
        )
        self.assertEqual(list(self.rows(node)), ["shown"])

    def test_a_history_keeps_its_channel(self):
        node = TroupeNode(
            {
                "topics.passivate_after": SOON,
                "msgbus.history_messages": 2,
                "msgbus.history_time": "2s",
            }
        )
        self.addCleanup(node.remove)
        node.start()
        for _ in range(3):
            self.publish(node, "kept")
        self.wait_for(node, "kept", listeners=0)
        state = node.get_json("/actors/channels/default/kept")["state"]
        self.assertEqual(state["history"]["messages"], 2)
        self.wait_until_gone(node, "kept")


class ThreeNodesTest(ChannelsCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.remove)
        self.cluster.found(["n2", "n3"])
        self.cluster.settled({1, 2, 3})
        self.nodes = {
            self.cluster.number_of(n): n for n in self.cluster.running()
        }

    def test_listeners_of_all_nodes_together(self):
        one, two, three = (self.nodes[i] for i in (1, 2, 3))
        self.curl(one, "news")
        self.curl(two, "news")
        self.zenconn(three, "news")
        self.zenconn(three, "news")
        self.curl(two, "elsewhere")
        everywhere = {"scope": "cluster"}
        row = self.wait_for(one, "news", everywhere, listeners=4)
        self.assertEqual(
            row["nodes"],
            [
                {"node": i, "listeners": n}
                for i, n in ((1, 1), (2, 1), (3, 2))
            ],
        )
        self.wait_for(one, "elsewhere", everywhere, listeners=1)
        self.assertNotIn("elsewhere", self.rows(one))
        # Who published knows of the others before it does.
        until(
            lambda: sorted(
                n
                for f in one.get_json("/interest?limit=1000")["filters"]
                if f["filter"] == "news"
                for n in f["nodes"]
            )
            == [2, 3],
            "interest has not come around",
        )
        self.publish(one, "news")
        self.publish(one, "news")
        self.wait_for(
            three, "news", everywhere, published=2, received=4, delivered=8
        )
        answer = two.get_json("/channels?scope=cluster&topic=news")
        self.assertTrue(answer["complete"])
        self.assertEqual(len(answer["channels"]), 1)
        shown = self.troupe(two, "channel", "list", "--cluster")
        self.assertRegex(shown, r"(?m)^news .* 1:1 2:1 3:2$")

        three.kill()

        def silent():
            answer = one.get_json("/channels?scope=cluster&topic=news")
            return answer["silent"] == [3] and answer

        answer = until(silent, "the dead answers")
        self.assertFalse(answer["complete"])
        self.assertEqual(answer["channels"][0]["listeners"], 2)


if __name__ == "__main__":
    unittest.main()
