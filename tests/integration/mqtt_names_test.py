# SPDX-License-Identifier: Apache-2.0
"""One connection a client identifier in the whole cluster, from outside: of
sessions that end with their connections, and of those that stay."""

import itertools
import unittest

from tests.integration.cluster_harness import Cluster, until
from tests.integration.mqtt_client import V5, V311, Client, Refused
from tests.integration.troupe_node import TroupeNode

SETTINGS = {"listen.mqtt": "127.0.0.1:0"}
TAKEN_OVER = 0x8E
UNAVAILABLE = 0x88
CLEAN, LASTING = 0, 3600


class NamesCase(unittest.TestCase):
    def open(self, at, name, expiry=CLEAN, version=V5):
        options = {"SessionExpiryInterval": expiry} if expiry else {}
        made = Client(at, version, name, clean=not expiry, **options)
        self.addCleanup(made.drop)
        return made

    def open_in_time(self, at, name, expiry=CLEAN):
        """As clients do while nobody leads."""

        def opened():
            try:
                return self.open(at, name, expiry)
            except Refused as e:
                if e.code != UNAVAILABLE:
                    raise
                return None

        return until(opened, f"{name} can't connect", 60)

    def works(self, client, name):
        """The connection is still there, and is the client's."""
        client.subscribe((f"{name}/own", 0))
        client.publish(f"{name}/own", "mine")
        self.assertEqual(client.next().payload, b"mine")


class OnOneNode(NamesCase):
    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode(SETTINGS)
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()

    @property
    def at(self):
        return self.node.address("mqtt")

    def counts(self):
        metrics = self.node.metrics()
        return (
            int(metrics["troupe_mqtt_clients"]),
            int(metrics["troupe_mqtt_clients_lasting"]),
            int(metrics["troupe_mqtt_names"]),
        )

    def wait_for_counts(self, *wanted):
        until(lambda: self.counts() == wanted, f"counts are not {wanted}")

    def actors(self, kind):
        rows = self.node.get_json("/actors?limit=1000")["actors"]
        return [row["path"] for row in rows if row["kind"] == kind]

    def test_a_row_and_no_actor(self):
        ones = [self.open(self.at, f"row-{i}", version=v)
                for i, v in enumerate((V311, V5))]  # fmt: skip
        self.wait_for_counts(2, 0, 2)
        self.assertEqual(self.actors("client"), [])
        self.assertEqual(self.actors("inbox"), [])
        desks = self.actors("desk")
        self.assertTrue(desks)
        states = [self.node.get_json("/actors" + path) for path in desks]
        self.assertEqual(sum(s["state"]["clients"] for s in states), 2)
        shown = self.node.get_json("/mqtt/sessions")["sessions"]
        self.assertEqual([row["client"] for row in shown], ["row-0", "row-1"])
        ones[0].close()
        ones[1].drop()
        self.wait_for_counts(0, 0, 0)

    def test_every_sort_takes_over_every_sort(self):
        for first, second in itertools.product((CLEAN, LASTING), repeat=2):
            with self.subTest(first=first, second=second):
                name = f"sorts-{first}-{second}"
                one = self.open(self.at, name, first)
                two = self.open(self.at, name, second)
                self.assertEqual(one.end(), TAKEN_OVER)
                self.works(two, name)
                two.close()

    def test_an_operator_ends_one(self):
        one = self.open(self.at, "kicked")
        path = "/mqtt/sessions?client=kicked"
        self.assertEqual(self.node.request("DELETE", path).status, 200)
        self.assertEqual(one.end(), 0x98)
        self.works(self.open(self.at, "kicked"), "kicked")


class InCluster(NamesCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.remove)
        first = cls.cluster.node("n1", **SETTINGS).start()
        cls.nodes = [first]
        for name in ("n2", "n3"):
            cls.nodes.append(
                cls.cluster.node(name, join=[first], **SETTINGS).start()
            )
        cls.cluster.settled([1, 2, 3])
        cls.counter = itertools.count()

    def at(self, index):
        return self.nodes[index % 3].address("mqtt")

    def rows(self):
        return sum(
            int(node.metrics()["troupe_mqtt_names"])
            for node in self.cluster.running()
        )

    def wait_for_rows(self, count):
        until(lambda: self.rows() == count, f"there are not {count} rows", 60)

    def bring_back(self, index):
        """So that it leads its share again before long."""
        self.nodes[index].start()
        self.cluster.settled([1, 2, 3])
        self.cluster.run(self.nodes[index], "rebalance")

    def shard_of(self, node, name):
        """Of a session that stays; none while nobody leads it."""
        rows = node.get_json("/mqtt/sessions?scope=kept&limit=1000")
        return next(
            (r["shard"] for r in rows["sessions"] if r["client"] == name), None
        )

    def led_name(self, but=None):
        """A client identifier, and who leads its shard: a node that has just
        come back may lead nothing."""
        numbers = {
            self.cluster.number_of(node): i for i, node in enumerate(self.nodes)
        }
        at = self.nodes[0]
        while True:
            name = f"led-{next(self.counter)}"
            self.open_in_time(self.at(0), name, LASTING).close()
            shard = until(
                lambda name=name: self.shard_of(at, name),
                f"{name} is not listed", 60,
            )  # fmt: skip
            path = f"/mqtt/sessions?client={name}"
            self.assertEqual(at.request("DELETE", path).status, 200)
            leader = numbers.get(self.cluster.shards()[shard]["leader"])
            if leader is not None and leader != but:
                return name, leader

    def test_every_sort_takes_over_every_sort_between_nodes(self):
        for first, second in itertools.product((CLEAN, LASTING), repeat=2):
            for a, b in ((0, 1), (1, 2), (2, 0), (1, 1)):
                with self.subTest(first=first, second=second, a=a, b=b):
                    name = f"sorts-{first}-{second}-{a}{b}"
                    one = self.open(self.at(a), name, first)
                    two = self.open(self.at(b), name, second)
                    self.assertEqual(one.end(), TAKEN_OVER)
                    self.works(two, name)
                    two.close()
        self.wait_for_rows(0)

    def test_the_leader_is_killed(self):
        for turn in range(3):
            with self.subTest(turn=turn):
                name, victim = self.led_name()
                one = self.open(self.at(victim + 1), name)
                self.wait_for_rows(1)
                self.nodes[victim].kill()
                self.wait_for_rows(1)
                self.works(one, name)
                two = self.open_in_time(self.at(victim + 2), name)
                self.assertEqual(one.end(), TAKEN_OVER)
                self.works(two, name)
                three = self.open_in_time(self.at(victim + 1), name, LASTING)
                self.assertEqual(two.end(), TAKEN_OVER)
                three.close()
                self.bring_back(victim)
                self.wait_for_rows(0)

    def test_the_node_of_the_first_is_killed(self):
        for victim in range(3):
            with self.subTest(victim=victim):
                name, _ = self.led_name(but=victim)
                one = self.open(self.at(victim), name)
                one.paho.loop_stop()
                self.wait_for_rows(1)
                self.nodes[victim].kill()
                self.wait_for_rows(0)
                two = self.open_in_time(self.at(victim + 2), name)
                self.works(two, name)
                two.close()
                self.bring_back(victim)

    def test_the_leader_stops(self):
        name, leader = self.led_name()
        one = self.open(self.at(leader + 1), name)
        self.wait_for_rows(1)
        self.nodes[leader].stop()
        self.wait_for_rows(1)
        two = self.open_in_time(self.at(leader + 2), name)
        self.assertEqual(one.end(), TAKEN_OVER)
        self.works(two, name)
        two.close()
        self.bring_back(leader)


if __name__ == "__main__":
    unittest.main()
