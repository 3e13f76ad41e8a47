# SPDX-License-Identifier: Apache-2.0
"""What tests of channels at /msgbus/ share: a node for each class, and clients
that speak to its door byte by byte."""

import unittest

from tests.integration.msgbus_client import Wire, subscribe
from tests.integration.troupe_node import TroupeNode

OK = b"HTTP/1.1 204 OK"


class MsgbusCase(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode(
            {"listen.msgbus": "127.0.0.1:0", "log.level": "debug"}
            | cls.settings
        )
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()
        cls.at = cls.node.address("msgbus")

    def ask(self, data, at=None):
        """Head and body of the only answer."""
        with Wire(at or self.at) as wire:
            wire.send(data)
            return wire.answer()

    def listen(self, target, *arguments, **options):
        wire = subscribe(self.at, target, *arguments, **options)
        self.addCleanup(wire.close)
        return wire

    def metric(self, name):
        return self.node.metrics()[name]
