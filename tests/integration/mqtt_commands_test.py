# SPDX-License-Identifier: Apache-2.0
"""`troupe mqtt`: who is connected, the end of that, and a live trace."""

import json
import os
import queue
import subprocess
import threading
import unittest

from tests.integration.cli_test import troupe
from tests.integration.cluster_harness import Cluster, until
from tests.integration.mqtt_client import DEADLINE, V311, Client
from tests.integration.troupe_node import TroupeNode, binary

MQTT = {"listen.mqtt": "127.0.0.1:0"}


def admin_of(node):
    return node.admin_url.removeprefix("http://")


def mqtt(node, *words):
    """A finished `troupe mqtt` that asks this node."""
    return troupe("mqtt", *words, "--admin", admin_of(node))


class Trace:
    """A running `troupe mqtt trace`."""

    def __init__(self, case, node, *words):
        self._lines = queue.Queue()
        self._process = subprocess.Popen(
            [binary(), "mqtt", "trace", *words, "--admin", admin_of(node)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
        case.addCleanup(self.stop)
        # It says so before its first look, which may come any time later.
        self.begun = self._process.stderr.readline()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))

    def until(self, text):
        """All lines up to the first one with that text."""
        seen = []
        while not seen or text not in seen[-1]:
            try:
                seen.append(self._lines.get(timeout=DEADLINE))
            except queue.Empty:
                raise AssertionError(f"no {text!r} in {seen}") from None
        return seen

    def stop(self):
        self._process.terminate()
        self._process.wait(DEADLINE)
        self._process.stdout.close()
        self._process.stderr.close()


class AtANode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode(MQTT)
        cls.addClassCleanup(cls.node.remove)
        cls.at = cls.node.start().address("mqtt")

    def client(self, *arguments, **options):
        made = Client(self.at, *arguments, **options)
        self.addCleanup(made.drop)
        return made

    def test_sessions_and_kick(self):
        pump = self.client(name="pump")
        self.client(V311, name="valve")
        rows = json.loads(mqtt(self.node, "sessions", "--json").stdout)
        rows = {row["client"]: row for row in rows["sessions"]}
        self.assertEqual(rows["pump"]["version"], "5")
        self.assertEqual(rows["valve"]["version"], "3.1.1")
        shown = mqtt(self.node, "sessions")
        self.assertIn("CLIENT", shown.stdout)
        self.assertIn("pump", shown.stdout)
        done = mqtt(self.node, "kick", "pump")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(pump.end(), 0x98)
        done = mqtt(self.node, "kick", "pump")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not found: pump", done.stderr)

    def test_sessions_that_are_away_are_shown_too(self):
        self.client(name="stays", SessionExpiryInterval=3600)
        away = self.client(name="leaves", SessionExpiryInterval=3600)
        away.subscribe(("away/#", 1))
        away.close()
        here = self.client(name="here")

        def states(*words):
            done = mqtt(self.node, "sessions", "--json", *words)
            return {
                row["client"]: row["state"]
                for row in json.loads(done.stdout)["sessions"]
                if row["client"] in ("stays", "leaves", "here")
            }

        all_of_them = {"stays": "kept", "leaves": "away", "here": "connected"}
        until(lambda: states() == all_of_them, "it is there still")
        self.assertEqual(set(states("--connected")), {"stays", "here"})
        self.assertEqual(set(states("--kept")), {"stays", "leaves"})
        here.publish("away/1", b"x", 1)
        rows = json.loads(mqtt(self.node, "sessions", "--json").stdout)
        row = [r for r in rows["sessions"] if r["client"] == "leaves"][0]
        self.assertEqual(row["queued"], 1)
        self.assertGreater(row["ends_ms"], row["closed_ms"])
        self.assertRegex(mqtt(self.node, "sessions").stdout, "leaves +away")
        self.assertEqual(mqtt(self.node, "kick", "leaves").returncode, 0)
        self.assertNotIn("leaves", states())

    def test_the_actor_of_a_client_has_a_page(self):
        client = self.client(name="acts", SessionExpiryInterval=3600)
        rows = self.node.get_json("/actors?prefix=/clients/&limit=1000")
        pages = [
            self.node.get_json("/actors" + row["path"])
            for row in rows["actors"]
        ]
        (page,) = [p for p in pages if p["state"]["client_id"] == "acts"]
        self.assertEqual(page["kind"], "client")
        self.assertTrue(page["state"]["lasting"])
        self.assertTrue(page["state"]["open"])
        client.close()
        until(
            lambda: self.node.get("/actors" + page["path"]).status == 404,
            "its actor has not ended",
        )

    def test_trace_of_one_that_is_there_and_comes_again(self):
        lamp = self.client(name="lamp")
        trace = Trace(self, self.node, "lamp")
        self.assertIn("looking at lamp", trace.begun)

        # What is said before the first look is not seen: it is said again.
        def say():
            while not over.wait(0.05):
                lamp.publish("light/on", b"secret", qos=1)

        over = threading.Event()
        saying = threading.Thread(target=say)
        saying.start()
        lines = trace.until("-> PUBACK")
        over.set()
        saying.join()
        text = "\n".join(lines)
        self.assertRegex(text, r'<- PUBLISH qos1 id=\d+ "light/on" 6 bytes')
        self.assertIn("published", text)
        self.assertNotIn("secret", text)
        lamp.subscribe("light/#")
        self.assertIn('SUBSCRIBE id=', "\n".join(trace.until("-> SUBACK")))
        lamp.close()
        trace.until("is gone")
        again = self.client(name="lamp", will={"topic": "gone"})
        lines = trace.until("-> CONNACK")
        self.assertIn("connects from 127.0.0.1", "\n".join(lines))
        again.drop()
        trace.until("is gone")


class Bounds(unittest.TestCase):
    def test_one_cannot_look_at_everybody(self):
        node = TroupeNode(MQTT)
        self.addCleanup(node.remove)
        node.start()
        for n in range(16):
            node.get_json(f"/mqtt/trace?client=looked-at-{n}")
        answer = node.get("/mqtt/trace?client=one-more")
        self.assertEqual(answer.status, 429)
        self.assertEqual(node.get("/mqtt/trace").status, 400)


class AtTwoNodes(unittest.TestCase):
    def test_all_nodes_are_looked_at(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        first = cluster.node("n1", listen__mqtt="127.0.0.1:0").start()
        second = cluster.node("n2", [first], listen__mqtt="127.0.0.1:0")
        second.start()
        cluster.settled({1, 2})
        pump = Client(second.address("mqtt"), name="pump")
        self.addCleanup(pump.drop)
        shown = json.loads(mqtt(first, "sessions", "--json").stdout)
        self.assertEqual(
            [(row["client"], row["node"]) for row in shown["sessions"]],
            [("pump", 2)],
        )
        done = mqtt(first, "kick", "pump")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(pump.end(), 0x98)
        trace = Trace(self, first, "pump")
        self.assertIn("2 nodes", trace.begun)
        # It must have begun to look; then it sees the client wherever it is.
        for node in (second, first):
            while True:
                client = Client(node.address("mqtt"), name="pump")
                client.drop()
                try:
                    line = trace._lines.get(timeout=0.5)
                except queue.Empty:
                    continue
                number = 1 if node is first else 2
                while f"node {number}" not in line:
                    line = trace._lines.get(timeout=DEADLINE)
                break


if __name__ == "__main__":
    unittest.main()
