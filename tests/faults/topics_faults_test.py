# SPDX-License-Identifier: Apache-2.0
"""Publish and subscribe while a cable is out: hosts in network namespaces."""

import os
import unittest

from tests.faults import namespaces
from tests.faults.cluster_faults_test import TOKEN, ClusterOfHosts
from tests.integration.cluster_harness import until
from tests.integration.topics_test import Topics


def setUpModule():
    namespaces.move_to_own_network()
    os.environ["TROUPE_ADMIN_TOKEN"] = TOKEN


class TopicsFaults(unittest.TestCase):
    def setUp(self):
        self.topics = Topics()
        self.addCleanup(self.topics.close)
        self.cluster = ClusterOfHosts()
        self.addCleanup(self.cluster.remove)
        self.cluster.found(["n2", "n3"])
        self.cluster.settled({1, 2, 3})

    def hear_once(self, publisher, listener, text):
        topic = text.replace(" ", "/")
        heard = self.topics.tail(listener, f"{topic}/+")
        self.topics.wait_for(publisher, f"{topic}/+", (0, {3}))
        self.topics.publish(publisher, f"{topic}/1", text)
        self.assertEqual(heard.result(), [text])

    def test_a_cable_is_pulled(self):
        names = {
            self.cluster.number_of(node): name
            for name, node in self.cluster.nodes.items()
        }
        one = self.cluster.nodes[names[1]]
        three = self.cluster.nodes[names[3]]
        for n in range(3):
            # Filters of their own each time: what an earlier tail wanted may
            # still be on the board when the next one begins.
            self.hear_once(one, three, f"before {n}")
            host = self.cluster.hosts[names[3]]
            # Somebody listens there while the cable is out.
            deaf = self.topics.tail(three, f"cut/{n}/#")
            self.topics.wait_for(one, f"cut/{n}/#", (0, {3}))
            host.pull()
            until(
                lambda: not self.topics.filters(one),
                "wanted by a node out of reach",
            )
            self.assertEqual(
                self.topics.publish(one, f"cut/{n}/1", "lost")["nodes"], 0
            )
            host.mend()
            self.cluster.settled({1, 2, 3})
            deaf.exception()  # its connection, too, went over the cable

            self.hear_once(one, three, f"after {n}")
        peers = {p["node"]: p for p in one.get_json("/interest")["peers"]}
        self.assertEqual(peers[3]["divergences"], 0)
        self.assertEqual(peers[3]["gaps"], 0)
        self.assertTrue(peers[3]["known"] and peers[3]["told"])


if __name__ == "__main__":
    unittest.main()
