# SPDX-License-Identifier: Apache-2.0
"""The base of tests of ZenConn's door: one node for a class."""

import unittest

from tests.integration.rights_test import Rights
from tests.integration.troupe_node import TroupeNode
from tests.integration.zenconn_client import Refused, ZenconnClient

SECRET = "the applications' secret"
EVERYBODY = "publish:$zenconn/all"


class ZenconnCase(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode({"zenconn.secret": SECRET} | cls.settings)
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()
        cls.at = cls.node.address("public")
        cls.url = "http://{}:{}".format(*cls.at)
        cls.rights = Rights(cls.node)

    def connect(self, *arguments, **options):
        client = ZenconnClient.connect(self.at, *arguments, **options)
        self.addCleanup(client.drop)
        return client

    def give_token(self, uid, *grants):
        """Of a user who has these grants beside what everybody may."""
        if grants:
            self.rights.post(
                "accounts", {"uid": uid, "op": "give", "grants": list(grants)}
            )
        return self.rights.post("tokens", {"uid": uid}, status=201)["token"]

    def refused(self, status, **options):
        with self.assertRaises(Refused) as caught:
            self.connect(**options)
        self.assertEqual(caught.exception.status, status)
        return caught.exception


def rows(node, path, name):
    """All pages of a list of the admin listener."""
    found, after = [], ""
    while True:
        page = node.get_json(f"{path}?limit=40&after={after}")
        found += page[name]
        if not page[name] or page["next"] is None:
            return found
        after = page["next"]


def live(node):
    return {row["session"] for row in rows(node, "/zenconn/sessions", "sessions")}


def records(node):
    return rows(node, "/zenconn/records", "records")
