# SPDX-License-Identifier: Apache-2.0
"""The base of tests of MQTT's door: one node for a class."""

import unittest

from tests.integration.mqtt_client import V5, V31, V311, Client, Raw, Refused
from tests.integration.rights_test import Rights
from tests.integration.troupe_node import TroupeNode

VERSIONS = (V31, V311, V5)


class MqttCase(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode({"listen.mqtt": "127.0.0.1:0"} | cls.settings)
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()
        cls.at = cls.node.address("mqtt")
        cls.rights = Rights(cls.node)

    def client(self, *arguments, at=None, **options):
        made = Client(at or self.at, *arguments, **options)
        self.addCleanup(made.drop)
        return made

    def refused(self, **options):
        with self.assertRaises(Refused) as caught:
            self.client(**options)
        return caught.exception.code

    def raw(self, *arguments, **options):
        made = Raw(self.at, *arguments, **options)
        self.addCleanup(made.close)
        return made

    def metric(self, name):
        return self.node.metrics().get("troupe_mqtt_" + name, 0)

    def give_token(self, uid, *grants):
        if grants:
            self.rights.post(
                "accounts", {"uid": uid, "op": "give", "grants": list(grants)}
            )
        return self.rights.post("tokens", {"uid": uid}, status=201)["token"]
