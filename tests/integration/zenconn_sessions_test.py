# SPDX-License-Identifier: Apache-2.0
"""ZenConn's sessions, from outside: their records, their end, and what is left
of them."""

import os
import signal
import unittest

from tests.integration.cluster_harness import Cluster, until
from tests.integration.troupe_node import MEMORY_IS_COMPARABLE, TroupeNode
from tests.integration.zenconn_case import SECRET, live, records
from tests.integration.zenconn_client import (
    Closed,
    Refused,
    ZenconnClient,
    token,
)


class Stopping(unittest.TestCase):
    def test_clients_are_told_when_the_node_stops(self):
        node = TroupeNode({"zenconn.secret": SECRET})
        self.addCleanup(node.remove)
        node.start()
        clients = [
            ZenconnClient.connect(node.address("public")) for _ in range(20)
        ]
        for client in clients:
            self.addCleanup(client.drop)
            client.subscribe("private.a", SECRET)
        node.signal(signal.SIGTERM)
        for client in clients:
            with self.assertRaises(Closed) as caught:
                while client.receive():
                    pass
            self.assertEqual(caught.exception.code, 1001)
            client.drop()
        self.assertEqual(node.wait(), 0)


class Records(unittest.TestCase):
    def setUp(self):
        self.node = TroupeNode()
        self.addCleanup(self.node.remove)
        self.node.start()

    def connect(self, **options):
        client = ZenconnClient.connect(self.node.address("public"), **options)
        self.addCleanup(client.drop)
        return client

    def test_z1_every_session_and_its_end(self):
        clients = [self.connect() for _ in range(100)]
        opened = [r for r in records(self.node) if r["event"] == "opened"]
        self.assertEqual(
            [r["session"] for r in opened], [c.id for c in clients]
        )
        for client in clients[:20]:
            self.assertEqual(client.close(), 1000)
        until(lambda: len(live(self.node)) == 80, "20 ends")

        def by_session():
            last = {}
            for record in records(self.node):
                if "session" in record:
                    last[record["session"]] = record
            return last

        until(
            lambda: sum(
                r["event"] == "closed" for r in by_session().values()
            )
            == 20,
            "20 ends on record",
        )
        started = next(
            r for r in records(self.node) if r["event"] == "started"
        )
        last = by_session()
        self.assertEqual(set(last), {c.id for c in clients})
        self.assertEqual(
            {r["server"] for r in last.values()}, {started["server"]}
        )
        gone = last[clients[0].id]
        self.assertEqual(gone["reason"], "the client closed")
        self.assertGreaterEqual(gone["disconnected_ms"], gone["connected_ms"])
        self.assertTrue(gone["remote"].startswith("127.0.0.1:"))

        # The others are lost with it.
        self.node.kill()
        self.node.start()
        last = by_session()
        self.assertEqual({r["event"] for r in last.values()}, {"closed"})
        lost = [r for r in last.values() if r["reason"] == "server lost"]
        self.assertEqual(len(lost), 80)
        self.assertEqual({r["server"] for r in lost}, {started["server"]})
        self.assertEqual(live(self.node), set())

        # A stop is no loss.
        client = self.connect()
        self.node.signal(signal.SIGTERM)
        with self.assertRaises(Closed):
            client.receive()
        client.drop()
        self.assertEqual(self.node.wait(), 0)
        self.node.start()
        self.assertEqual(
            by_session()[client.id]["reason"], "the node shuts down"
        )
        marks = [r["event"] for r in records(self.node) if "session" not in r]
        self.assertEqual(
            marks, ["started", "lost", "started", "stopped", "started"]
        )

    def test_z1_who_is_refused_is_no_session(self):
        with self.assertRaises(Refused):
            self.connect(bearer="nobody knows this")
        self.assertEqual(
            [r["event"] for r in records(self.node)], ["started"]
        )

    def test_z8_the_list_is_who_is_there(self):
        clients = []
        for _ in range(20):
            clients.append(self.connect())
            self.assertEqual(live(self.node), {c.id for c in clients})
        for i, client in enumerate(clients):
            client.drop()
            left = {c.id for c in clients[i + 1 :]}
            until(lambda: live(self.node) == left, "the end", deadline=0.5)


class Leaks(unittest.TestCase):
    def test_z14_rounds_leave_nothing_behind(self):
        """TROUPE_TEST_ROUND is how many come and go in one, a hundred at a
        time."""
        count = int(os.environ.get("TROUPE_TEST_ROUND", "1000"))
        node = TroupeNode({"zenconn.secret": SECRET})
        self.addCleanup(node.remove)
        node.start()
        at = node.address("public")

        def descriptors():
            return len(os.listdir(f"/proc/{node.pid}/fd"))

        def round_of(number):
            for batch in range(count // 100):
                channel = f"private.{number}.{batch}"
                clients = [ZenconnClient.connect(at) for _ in range(100)]
                try:
                    for client in clients:
                        client.send(
                            type="subscribe",
                            channel=channel,
                            token=token(SECRET, client.id, channel),
                        )
                    for client in clients:
                        while client.receive()["type"] != "subscribed":
                            pass
                    clients[0].send(
                        type="broadcast", channel=channel, data="x" * 1000
                    )
                    while (answer := clients[0].receive())["type"] == "event":
                        pass
                    self.assertEqual(answer["count"], 99)
                finally:
                    for client in clients:
                        client.drop()
            until(lambda: not live(node), "all are gone")

        round_of(0)
        until(lambda: node.metrics()["troupe_zenconn_rooms"] == 0, "no room")
        descriptors_before = descriptors()
        before = node.private_bytes()
        for number in (1, 2, 3):
            round_of(number)
        until(lambda: node.metrics()["troupe_zenconn_rooms"] == 0, "no room")
        self.assertLessEqual(descriptors(), descriptors_before + 2)
        if MEMORY_IS_COMPARABLE:
            # What an allocator keeps is a part of small numbers.
            self.assertLess(
                node.private_bytes(), before * 1.05 + (4 << 20), "memory"
            )


class Draining(unittest.TestCase):
    def test_clients_are_sent_elsewhere(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        spread = {"cluster__drain_spread": "1s"}
        first = cluster.node("n1", **spread).start()
        second = cluster.node("n2", join=[first], **spread).start()
        cluster.settled({1, 2})
        at = second.address("public")
        clients = [ZenconnClient.connect(at) for _ in range(10)]
        for client in clients:
            self.addCleanup(client.drop)
        stays = ZenconnClient.connect(first.address("public"))
        self.addCleanup(stays.drop)
        number = str(cluster.number_of(second))
        cluster.run(first, "node", "drain", number)
        for client in clients:
            with self.assertRaises(Closed) as caught:
                client.receive()
            self.assertEqual(caught.exception.code, 1012)
            client.drop()
        with self.assertRaises(Refused) as refused:
            ZenconnClient.connect(at)
        self.assertEqual(refused.exception.status, 503)
        self.assertEqual(stays.subscribe("a")["type"], "subscribed")
        cluster.run(first, "node", "undrain", number)

        def taken():
            try:
                ZenconnClient.connect(at).drop()
            except Refused:
                return False
            return True

        until(taken, "it serves again")


if __name__ == "__main__":
    unittest.main()
