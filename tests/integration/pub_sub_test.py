# SPDX-License-Identifier: Apache-2.0
"""`troupe pub` and `troupe sub` by every door, at one node and across two."""

import json
import os
import re
import subprocess
import unittest

from tests.integration.cluster_harness import Cluster
from tests.integration.msgbus_client import until
from tests.integration.troupe_node import TroupeNode, binary

DEADLINE = 60


def server(node):
    return "{}:{}".format(*node.address())


class PubSubCase(unittest.TestCase):
    def sub(self, node, *arguments, token=None):
        """A subscriber of one message or more, once it listens."""
        before = self.subscriptions(node)
        process = subprocess.Popen(
            [binary(), "sub", "--server", server(node), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | ({"TROUPE_TOKEN": token} if token else {}),
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        until(
            lambda: self.subscriptions(node) > before
            or process.poll() is not None,
            "it never subscribed",
        )
        return process

    def subscriptions(self, node):
        """By any door, since the start."""
        samples = node.metrics()
        return sum(
            samples.get(name, 0)
            for name in (
                "troupe_msgbus_subscriptions_total",
                "troupe_zenconn_joins_total",
                "troupe_logins_total",
            )
        )

    def pub(self, node, *arguments, input=None, code=0):
        done = subprocess.run(
            [binary(), "pub", "--server", server(node), *arguments],
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def lines(self, process):
        out, err = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 0, err)
        return out.splitlines()


class OneNode(PubSubCase):
    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode()
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()

    def test_a_channel_by_either_door(self):
        listeners = [
            self.sub(self.node, "--via", door, "--count", "2", "news")
            for door in ("sse", "msgbus")
        ]
        self.assertEqual(self.pub(self.node, "news", "hello"), "ok\n")
        self.pub(self.node, "--as", "anna", "news", input="zwei é")
        for each in listeners:
            self.assertEqual(
                self.lines(each), ["at news: hello", "anna at news: zwei é"]
            )

    def test_all_channels_filtered_as_json(self):
        listener = self.sub(
            self.node, "--json", "--count", "1", "--type", "x/*"
        )
        self.pub(self.node, "a", "not this")
        self.pub(self.node, "--type", "x/y", "--as", "anna", "a/b", "this")
        message = json.loads(self.lines(listener)[0])
        self.assertRegex(message.pop("id"), r"^\d+-\d+$")
        self.assertEqual(
            message,
            {"channel": "a/b", "sender": "anna", "type": "x/y", "data": "this"},
        )

    def test_an_inbox(self):
        bob = ("--via", "mq", "--as", "bob", "--device", "d", "--create")
        anna = ("--via", "mq", "--as", "anna", "--device", "d", "--create")
        listener = self.sub(self.node, *bob, "--count", "1")
        self.assertEqual(self.pub(self.node, *anna, "bob", "hello"), "ok\n")
        self.assertRegex(self.lines(listener)[0], r"^\d+-\d+ anna: hello$")

    def test_what_is_refused_is_said(self):
        node = TroupeNode({"msgbus.password": "secret"})
        self.addCleanup(node.remove)
        node.start()
        self.assertIn("401", self.pub(node, "news", "x", code=1))
        said = self.pub(node, "--password", "secret", "news", "x")
        self.assertEqual(said, "ok\n")
        self.pub(node, "a b", "x", code=2)

    def test_a_channel_by_zenconn_and_the_doors_beside_it(self):
        by = ("--via", "zenconn")
        sessions = [
            self.sub(self.node, *by, "--count", "3", "lamps/1"),
            self.sub(self.node, *by, "--json", "--count", "3", "lamps/1"),
        ]
        beside = self.sub(self.node, "--count", "3", "lamps/1")
        self.assertEqual(self.pub(self.node, *by, "lamps/1", "on"), "ok 2\n")
        json_type = ("--type", "application/json")
        said = self.pub(self.node, *by, *json_type, "lamps/1", '{"a": 1}')
        self.assertEqual(said, "ok 2\n")
        self.pub(self.node, "--as", "anna", "lamps/1", "zwei é")
        plain, objects = map(self.lines, sessions)
        uuid = "[0-9a-f-]{36}"
        self.assertRegex(plain[0], f"^{uuid} at lamps/1: on$")
        self.assertRegex(plain[1], f'^{uuid} at lamps/1: {{"a":1}}$')
        self.assertEqual(plain[2], "anna at lamps/1: zwei é")
        objects = list(map(json.loads, objects))
        self.assertRegex(objects[0].pop("sender"), uuid)
        self.assertEqual(objects[0], {"channel": "lamps/1", "data": "on"})
        self.assertEqual(objects[1]["type"], "application/json")
        self.assertEqual(objects[1]["data"], '{"a":1}')
        self.assertEqual(self.lines(beside)[2], "anna at lamps/1: zwei é")

    def test_what_zenconn_refuses_is_said(self):
        by = ("--via", "zenconn")
        said = self.pub(self.node, *by, "private.room", "x", code=1)
        self.assertIn("not granted", said)
        self.assertIn("not granted", self.pub(self.node, *by, "*", "x", code=1))
        json_type = ("--type", "application/json")
        said = self.pub(self.node, *by, *json_type, "a", "{", code=1)
        self.assertIn("no JSON", said)
        said = self.pub(self.node, *by, "--token", "trp_x", "a", "x", code=1)
        self.assertIn("401", said)

    def test_a_token_says_who_it_is(self):
        node = TroupeNode({"auth.anonymous": "deny"})
        self.addCleanup(node.remove)
        node.start()
        made = subprocess.run(
            [binary(), "token", "add", "anna"],
            env=os.environ | {"TROUPE_ADMIN": node.admin_url[len("http://"):]},
            capture_output=True,
            text=True,
            check=True,
        )
        token = re.search(r"trp_\S+", made.stdout)[0]
        listeners = [
            self.sub(node, "--via", door, "--count", "1", "news", token=token)
            for door in ("sse", "msgbus")
        ]
        for who in ((), ("--as", "anna"), ("--token", token + "x")):
            self.assertIn("401", self.pub(node, *who, "news", "x", code=1))
        self.pub(node, "--token", token, "news", "hello")
        for each in listeners:
            self.assertEqual(self.lines(each), ["anna at news: hello"])


class TwoNodes(PubSubCase):
    def test_a_message_moves_from_one_to_the_other(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        first = cluster.found(["n2"])
        second = cluster.nodes["n2"]
        cluster.settled({1, 2})
        listeners = [
            self.sub(second, "--via", door, "--count", "1", "news")
            for door in ("sse", "msgbus", "zenconn")
        ]

        def arrives():
            self.pub(first, "--via", "zenconn", "news", "hello")
            return all(each.poll() is not None for each in listeners)

        until(arrives, "nothing arrives")
        for each in listeners:
            # Who is told of by zenconn alone; a text is JSON elsewhere.
            self.assertRegex(self.lines(each)[0], r'(^| )at news: "?hello"?$')


if __name__ == "__main__":
    unittest.main()
