# SPDX-License-Identifier: Apache-2.0
"""MQTT's sessions in a cluster that happens to clusters: what was acknowledged
with QoS 1 and 2 is not lost, QoS 2 comes once, and the order of a publisher's
topic is kept, for clients that go to any node.

Each node runs in a network namespace of its own; clients are at the hub.
FAULT_SECONDS is how long each kind of trouble is repeated, FAULT_SEED repeats a
run.
"""

import os
import random
import signal
import time
import unittest

from tests.faults import namespaces
from tests.faults.cluster_faults_test import TOKEN, TROUBLE, ClusterOfHosts
from tests.faults.mqtt_parties import (
    PahoReader,
    Publisher,
    Reader,
    broken_promises,
)
from tests.integration.cluster_harness import until
from tests.integration.mqtt_client import need_paho

SECONDS = float(os.environ.get("FAULT_SECONDS", "15"))
SEED = os.environ.get("FAULT_SEED", str(int(time.time())))
NODES = ("n1", "n2", "n3")
# For all that is still under way when nothing goes wrong any more.
END_SECONDS = 40


def setUpModule():
    need_paho()
    namespaces.move_to_own_network()
    os.environ["TROUPE_ADMIN_TOKEN"] = TOKEN


class MqttFaults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = ClusterOfHosts()
        cls.addClassCleanup(cls.cluster.remove)
        for name in NODES:
            others = [cls.cluster.nodes["n1"]] if cls.cluster.nodes else []
            node = cls.cluster.node(name, join=others)
            # The ports stay over restarts.
            node.settings["listen.mqtt"] = f"{cls.host(name).address}:1883"
            node.settings["auth.anonymous"] = "allow"
            node.start()
        cls.cluster.settled([1, 2, 3])
        cls.at = [(cls.host(name).address, 1883) for name in NODES]
        print("\nseed", SEED)

    @classmethod
    def host(cls, name):
        return cls.cluster.hosts[name]

    def setUp(self):
        self.chance = random.Random(f"{SEED} {self.id()}")
        self.cluster.settled([1, 2, 3])

    def add(self, party):
        self.addCleanup(party.stop)
        party.start()
        return party

    def wait(self, question):
        """Bounds how long a failure takes; what is missing then is said."""
        end = time.monotonic() + END_SECONDS
        while not question() and time.monotonic() < end:
            time.sleep(0.1)

    def survive(self, trouble):
        """Trouble after trouble, under load, for some time."""
        run = self._testMethodName
        topics = [f"{run}/{n}" for n in range(2)]
        readers = [
            self.add(kind(f"{run}-reader-{n}", self.at, SEED, f"{run}/#"))
            for n, kind in enumerate((Reader, Reader, PahoReader))
        ]
        for reader in readers:
            until(reader.ready.is_set, f"{reader.name} can't subscribe")
        publishers = [
            self.add(Publisher(f"{run}-qos-{qos}", self.at, SEED, topics, qos))
            for qos in (1, 2)
        ]
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(self.chance.uniform(0.5, 1.5))
            name = self.chance.choice(NODES)
            trouble(self.cluster.nodes[name], self.host(name))
            self.cluster.settled([1, 2, 3])
        for publisher in publishers:
            publisher.end()
        self.wait(lambda: all(publisher.answered for publisher in publishers))
        said = sum(len(publisher.said) for publisher in publishers)
        wanted = {each for publisher in publishers for each in publisher.said}
        self.wait(lambda: all(wanted <= set(reader.got) for reader in readers))
        broken = [str(p.failure) for p in readers + publishers if p.failure]
        for publisher in publishers:
            if waiting := publisher.unanswered():
                broken.append(f"{publisher.name}: no answer to {waiting[:3]}")
        for reader in readers:
            broken += broken_promises(publishers, reader)
        connections = [p.connections for p in readers + publishers]
        print(f"{run}: {said} messages, connections {connections}")
        self.assertEqual(broken, [], f"seed {SEED}")
        self.assertGreater(said, 100)

    def test_kill(self):
        def trouble(node, _host):
            node.kill()
            time.sleep(self.chance.uniform(0, TROUBLE))
            node.start()

        self.survive(trouble)

    def test_stopped_process(self):
        def trouble(node, _host):
            node.signal(signal.SIGSTOP)
            time.sleep(TROUBLE)
            node.signal(signal.SIGCONT)

        self.survive(trouble)

    def test_cable_pulled(self):
        def trouble(_node, host):
            host.pull()
            time.sleep(TROUBLE)
            host.mend()

        self.survive(trouble)

    def test_cable_broken_one_way(self):
        if not self.host("n1").has_firewall():
            self.skipTest("no firewall to be had")

        def trouble(_node, host):
            # Clients at the hub go on to reach it, and it them.
            self.chance.choice((host.deafen, host.mute))()
            time.sleep(TROUBLE)
            host.mend()

        self.survive(trouble)


if __name__ == "__main__":
    unittest.main()
