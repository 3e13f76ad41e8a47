# SPDX-License-Identifier: Apache-2.0
"""`troupe session`: who is connected at which node, and the end of that."""

import json
import unittest

from tests.integration.cli_test import troupe
from tests.integration.cluster_harness import Cluster, until
from tests.integration.msgbus_client import subscribe
from tests.integration.mq_client import Transport
from tests.integration.mq_case import MqCase
from tests.integration.troupe_node import TroupeNode
from tests.integration.zenconn_client import Closed, ZenconnClient


def session(node, *words):
    """A finished `troupe session` that asks this node."""
    return troupe(
        "session", *words,
        "--admin", node.admin_url.removeprefix("http://"),
    )


def listed(node, *words):
    done = session(node, "list", "--json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["sessions"]


class AtANode(MqCase):
    async def zenconn(self, **options):
        client = ZenconnClient.connect(self.node.address(), **options)
        self.addCleanup(client.drop)
        return client

    def token(self, uid):
        text = self.node.request("POST", "/rights/tokens", {"uid": uid})
        return text.json["token"]

    async def test_list_show_and_kick(self):
        anna = await self.user("anna", transport=Transport.WEBSOCKET)
        zen = await self.zenconn(bearer=self.token(anna.uid))
        nobody = await self.zenconn()
        stream = subscribe(self.node.address(), "/msgbus/here")
        self.addCleanup(stream.close)

        rows = listed(self.node, "--user", anna.uid)
        self.assertEqual(
            sorted(r["protocol"] for r in rows), ["mq-ws", "zenconn"]
        )
        by = {r["protocol"]: r for r in rows}
        self.assertEqual(by["zenconn"]["session"], zen.id)
        rows = listed(self.node, "--protocol", "msgbus")
        self.assertEqual(len(rows), 1)
        text = session(self.node, "list").stdout
        for word in ("NODE", "msgbus", "mq-ws", anna.uid, nobody.id):
            self.assertIn(word, text)
        one = session(self.node, "list", "--limit", "1")
        self.assertIn("more than 1", one.stderr)

        shown = session(self.node, "show", zen.id)
        self.assertIn(anna.uid, shown.stdout)
        number = str(by["mq-ws"]["id"])
        shown = json.loads(
            session(self.node, "show", number, "--json").stdout
        )
        self.assertEqual(shown["actor"]["user"], anna.uid)
        self.assertEqual(session(self.node, "show", "999999").returncode, 1)

        # One, by its UUID: it hears why, and its record ends with that.
        done = session(self.node, "kick", nobody.id)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with self.assertRaises(Closed) as closed:
            nobody.message()
        self.assertEqual(closed.exception.code, 1008)
        records = session(
            self.node, "records", "--session", nobody.id, "--lines"
        )
        events = [json.loads(x) for x in records.stdout.splitlines()]
        self.assertEqual([e["event"] for e in events], ["opened", "closed"])
        self.assertEqual(events[1]["reason"], "ended by an operator")

        # All of a user: both doors say goodbye; nobody else notices.
        done = session(self.node, "kick", "--user", anna.uid)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.count("ended session"), 2)
        with self.assertRaises(Closed):
            zen.message()
        await anna.read_to_end()
        until(lambda: not listed(self.node, "--user", anna.uid), "still there")
        self.assertEqual(len(listed(self.node, "--protocol", "msgbus")), 1)
        gone = session(self.node, "kick", "--user", anna.uid)
        self.assertEqual(gone.returncode, 1)
        self.assertIn("no session", gone.stderr)
        self.assertEqual(session(self.node, "kick", number).returncode, 1)
        # A stream of msgbus ends like one whose node stops.
        number = str(listed(self.node, "--protocol", "msgbus")[0]["id"])
        self.assertEqual(session(self.node, "kick", number).returncode, 0)
        self.assertIsNone(stream.chunk())
        # He may come again.
        again = await self.connect()
        await again.login(anna.uid, "n0")

    async def test_records_by_time_and_user(self):
        uid = self.name("rita")
        client = await self.zenconn(bearer=self.token(uid))
        self.assertEqual(client.close(), 1000)

        def rows(*words):
            done = session(self.node, "records", "--lines", *words)
            self.assertEqual(done.returncode, 0, done.stderr)
            return [json.loads(x) for x in done.stdout.splitlines()]

        until(lambda: len(rows("--user", uid)) == 2, "no end on record")
        opened, closed = rows("--user", uid)
        self.assertEqual(opened["session"], client.id)
        self.assertEqual(rows("--user", uid, "--event", "closed"), [closed])
        self.assertEqual(rows("--user", uid, "--limit", "1"), [closed])
        self.assertEqual(len(rows("--user", uid, "--since", "1h")), 2)
        self.assertEqual(rows("--user", uid, "--until", "2026-01-01T00:00:00Z"),
                         [])
        self.assertEqual(rows("--user", uid, "--from", "2999-01-01T00:00:00Z"),
                         [])
        self.assertEqual(rows("--event", "started")[0]["event"], "started")
        text = session(self.node, "records", "--user", uid).stdout
        self.assertIn("closed", text)
        self.assertIn(uid, text)

    async def test_what_is_wrong_is_said(self):
        for words in (
            ("kick",),
            ("kick", "1", "--user", "anna"),
            ("show",),
            ("list", "--node", "x"),
            ("records", "--from", "yesterday"),
            ("records", "--event", "came"),
        ):
            done = session(self.node, *words)
            self.assertEqual(done.returncode, 2, words)
            self.assertTrue(done.stderr, words)
        done = session(self.node, "list", "--node", "7")
        self.assertEqual(done.returncode, 1)
        answer = self.node.request("DELETE", "/sessions/x")
        self.assertEqual(answer.status, 400)
        answer = self.node.request("DELETE", "/sessions/999999")
        self.assertEqual(answer.status, 404)


class WithoutRecords(unittest.TestCase):
    def test_that_is_said(self):
        node = TroupeNode({"zenconn.records": "false"})
        self.addCleanup(node.remove)
        node.start()
        done = session(node, "records")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not recorded", done.stderr)


class AtTwoNodes(unittest.TestCase):
    def test_all_nodes_are_listed_and_each_ends_its_own(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        first = cluster.node("n1").start()
        second = cluster.node("n2", join=[first]).start()
        cluster.settled([1, 2])
        token = first.request("POST", "/rights/tokens", {"uid": "anna"}).json
        clients = []
        for node in (first, second, second):
            clients.append(
                ZenconnClient.connect(node.address(), bearer=token["token"])
            )
            self.addCleanup(clients[-1].drop)
        rows = listed(first, "--user", "anna")
        self.assertEqual(sorted(r["node"] for r in rows), [1, 2, 2])
        self.assertEqual(
            {r["session"] for r in rows}, {c.id for c in clients}
        )
        self.assertEqual(len(listed(first, "--node", "2")), 2)
        done = session(first, "records", "--node", "2", "--event", "opened",
                       "--lines")
        self.assertEqual(
            {json.loads(x)["session"] for x in done.stdout.splitlines()},
            {c.id for c in clients[1:]},
        )
        done = session(first, "show", clients[1].id, "--node", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = session(first, "kick", "--user", "anna")
        self.assertEqual(done.returncode, 1)
        self.assertIn("anna has 2 at node 2", done.stderr)
        done = session(second, "kick", "--user", "anna")
        self.assertEqual(done.returncode, 0, done.stderr)
        until(lambda: not listed(first, "--user", "anna"), "some are left")


if __name__ == "__main__":
    unittest.main()
