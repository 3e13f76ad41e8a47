# SPDX-License-Identifier: Apache-2.0
"""ZenConn's door from outside: clients of both generations, rights, channels
on three nodes. Names of tests begin with the requirement they stand for."""

import json
import time
import unittest
import urllib.error
import urllib.request

from tests.integration.cluster_harness import Cluster, until
from tests.integration.rights_test import Rights
from tests.integration.zenconn_case import EVERYBODY, SECRET, ZenconnCase
from tests.integration.zenconn_client import (
    Closed,
    Refused,
    ZenconnClient,
    reached,
    token,
)


class OneNode(ZenconnCase):
    def test_zc03_first_generation(self):
        client = self.connect()
        self.assertEqual(client.welcome["status"], 202)
        self.assertRegex(
            client.welcome["uuid"],
            r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
            r"[0-9a-f]{12}$",
        )
        for opcode, payload in ((1, b"ping"), (2, b"\x00\xff"), (1, b"{}")):
            client.send_raw(payload, opcode)
            self.assertEqual(client.message(), (opcode, payload))
        client.send_raw(b"hello", opcode=9)
        self.assertEqual(client.frame(), (10, b"hello"))
        self.assertEqual(client.close(), 1000)
        refused = self.refused(426, version=8)
        self.assertIn("Sec-WebSocket-Version: 13", refused.head)

    def test_second_generation(self):
        """The trace of the client library's tests."""
        one, other = self.connect(), self.connect()
        self.assertEqual(one.welcome["type"], "accepted")
        for client in (one, other):
            self.assertEqual(
                client.subscribe("private.notifications", SECRET),
                {"type": "subscribed", "channel": "private.notifications"},
            )
        self.assertEqual(one.receive()["data"]["event"], "joined")
        self.assertEqual(
            one.broadcast("private.notifications", {"data": "HELLO"}),
            {
                "type": "received",
                "channel": "private.notifications",
                "count": 1,
            },
        )
        self.assertEqual(
            other.receive(),
            {
                "type": "event",
                "channel": "private.notifications",
                "data": {"data": "HELLO"},
                "from": one.id,
            },
        )

    def test_z3_who_is_unknown_gets_no_upgrade(self):
        self.refused(401, bearer="nobody knows this")
        self.refused(401, headers={"Authorization": "Basic YTpi"})
        good = self.give_token("z3")
        self.connect(bearer=good)
        made = self.rights.post(
            "tokens", {"uid": "z3", "expires_in_ms": 1}, status=201
        )
        time.sleep(0.01)
        self.refused(401, bearer=made["token"])

    def test_z3_revoked_while_connected(self):
        made = self.rights.post("tokens", {"uid": "z3b"}, status=201)
        client = self.connect(bearer=made["token"])
        self.rights.remove("tokens/" + made["id"])
        revoked = time.monotonic()
        with self.assertRaises(Closed) as caught:
            client.receive()
        self.assertEqual(caught.exception.code, 1008)
        self.assertLess(time.monotonic() - revoked, 1)
        self.refused(401, bearer=made["token"])

    def test_z3_a_grant_counts_within_a_second(self):
        client = self.connect(bearer=self.give_token("z3c"))
        refused = client.broadcast("*", 1)
        self.assertEqual(refused["errors"], ["not granted"])
        for op, wanted in (("give", "received"), ("take", "error")):
            self.rights.post(
                "accounts", {"uid": "z3c", "op": op, "grants": [EVERYBODY]}
            )
            until(
                lambda: client.broadcast("*", 1)["type"] == wanted,
                f"a grant to {op}",
                deadline=1,
            )

    def test_z5_private_channels(self):
        client, other = self.connect(), self.connect()
        channel = "private.z5"
        wrong = (
            {},
            {"token": token(SECRET, other.id, channel)},
            {"token": token(SECRET, client.id, "private.other")},
            {"token": token("guess", client.id, channel)},
            {"token": 1},
        )
        for by in wrong:
            answer = client.ask(type="subscribe", channel=channel, **by)
            self.assertEqual(answer["type"], "unauthorized", by)
        for _ in range(2):
            answer = client.subscribe(channel, SECRET)
            self.assertEqual(answer["type"], "subscribed")
        self.assertEqual(client.broadcast(channel, 1)["count"], 0)
        granted = self.connect(
            bearer=self.give_token("z5", "subscribe:$zenconn/private/#")
        )
        answer = granted.subscribe(channel)
        self.assertEqual(answer["type"], "subscribed")

    def test_z6_only_members_speak(self):
        client, member = self.connect(), self.connect()
        member.subscribe("z6")
        answer = client.broadcast("z6", 1)
        self.assertEqual(answer["type"], "error")
        client.subscribe("z6")
        for i in range(200):
            client.send(type="broadcast", channel="z6", data=i)
        for i in range(200):
            self.assertEqual(client.receive()["count"], 1)
            self.assertEqual(member.receive()["data"], i)
        client.ask(type="unsubscribe", channel="z6")
        self.assertEqual(member.broadcast("z6", 1)["count"], 0)

    def test_z12_mixed_clients(self):
        plain = self.connect()
        plain.subscribe("z12")
        compact = ZenconnClient(self.at, headers={"X-JSON-Protocol": "1"})
        binary = ZenconnClient(
            self.at, headers={"X-Bin-Protocol": "1", "X-JSON-Protocol": "1"}
        )
        unknown = ZenconnClient(self.at, headers={"X-JSON-Protocol": "2"})
        for client in (compact, binary, unknown):
            self.addCleanup(client.drop)
        self.assertIn("\r\nX-JSON-Protocol: 1\r\n", compact.head)
        self.assertIn("\r\nX-Bin-Protocol: 1\r\n", binary.head)
        self.assertNotIn("X-JSON", binary.head)
        self.assertNotIn("X-JSON", unknown.head)
        self.assertEqual(compact.receive()["t"], "a")
        self.assertEqual(unknown.receive()["status"], 202)
        self.assertEqual(binary.message()[0], 2)
        self.assertEqual(
            compact.ask(t="s", c="z12"), {"t": "s", "c": "z12"}
        )
        binary.send(type="subscribe", channel="z12")
        self.assertEqual(binary.message()[0], 2)
        self.assertEqual(plain.broadcast("z12", {"x": [1, 2]})["count"], 2)
        opcode, event = binary.message()
        self.assertEqual(opcode, 2)
        self.assertIn(b"z12", event)
        brief = compact.message()[1]
        self.assertEqual(
            json.loads(brief),
            {"t": "e", "c": "z12", "d": {"x": [1, 2]}, "f": plain.id},
        )
        compact.send(t="b", c="z12", d={"x": [1, 2]})
        full = plain.message()[1]
        self.assertEqual(json.loads(full)["data"], {"x": [1, 2]})
        self.assertLess(len(brief), len(full))
        self.assertLess(len(event), len(full))

    def test_meets_the_bus(self):
        """A public channel is the same at /msgbus/, a private one is not."""
        client = self.connect()
        client.subscribe("meet/here")
        client.subscribe("private.meet", SECRET)

        def post(channel):
            urllib.request.urlopen(
                urllib.request.Request(
                    f"{self.url}/msgbus/{channel}",
                    data=b"hi",
                    headers={"Content-Type": "text/plain"},
                )
            ).close()

        for channel in ("private.meet", "$zenconn/private/meet", "meet/here"):
            post(channel)
        self.assertEqual(
            client.receive(),
            {"type": "event", "channel": "meet/here", "data": "hi"},
        )
        self.assertTrue(client.silent())

    def test_a_page_at_the_same_path(self):
        """Without an upgrade / is no WebSocket."""
        answer = self.node_request("/")
        self.assertEqual(answer, 426)

    def node_request(self, path):
        try:
            with urllib.request.urlopen(self.url + path) as answer:
                return answer.status
        except urllib.error.HTTPError as e:
            return e.code

    def test_counts_in_the_metrics(self):
        def sessions():
            text = self.node.request("GET", "/metrics").text
            line = next(
                x
                for x in text.splitlines()
                if x.startswith("troupe_zenconn_sessions ")
            )
            return int(line.split()[1])

        before = sessions()
        client = self.connect()
        self.assertEqual(sessions(), before + 1)
        client.drop()
        until(lambda: sessions() == before, "the session's end")

    def test_too_large_a_message_ends_its_client_only(self):
        client, other = self.connect(), self.connect()
        client.send_raw(b"x" * ((1 << 20) + 1))
        with self.assertRaises(Closed) as caught:
            client.receive()
        self.assertEqual(caught.exception.code, 1009)
        self.assertEqual(other.subscribe("a")["type"], "subscribed")


class WithoutEcho(ZenconnCase):
    settings = {"zenconn.echo": "false"}

    def test_what_asks_for_nothing_is_ignored(self):
        client = self.connect()
        client.send_raw(b"ping")
        self.assertEqual(client.subscribe("a")["type"], "subscribed")


class ThreeNodes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.remove)
        first = cls.cluster.node("n1", zenconn__secret=SECRET).start()
        for name in ("n2", "n3"):
            cls.cluster.node(
                name, join=[first], zenconn__secret=SECRET
            ).start()
        cls.cluster.settled({1, 2, 3})
        cls.nodes = list(cls.cluster.nodes.values())

    def connect(self, node, bearer=None):
        client = ZenconnClient.connect(node.address("public"), bearer)
        self.addCleanup(client.drop)
        return client

    def admin(self):
        rights = Rights(self.nodes[0])
        rights.post(
            "accounts", {"uid": "boss", "op": "give", "grants": [EVERYBODY]}
        )
        return rights.post("tokens", {"uid": "boss"}, status=201)["token"]

    def test_z4_everybody_on_all_nodes(self):
        bearer = self.admin()
        clients = [self.connect(n) for n in self.nodes for _ in range(5)]

        def boss():
            try:
                return self.connect(self.nodes[1], bearer)
            except Refused:
                return None  # the token is on its way

        speaker = until(boss, "the token is known")
        reached(speaker, "*", 15, "ready")
        for client in clients:
            while client.receive()["data"] != "ready":
                pass
        # Those of tries before may still come; then it is quiet.
        for client in clients:
            while not client.silent(0.1):
                pass
        self.assertEqual(
            speaker.broadcast("*", {"x": 1}),
            {"type": "received", "channel": "*", "count": 15},
        )
        for client in clients:
            self.assertEqual(
                client.receive(),
                {
                    "type": "event",
                    "channel": "*",
                    "data": {"x": 1},
                    "from": speaker.id,
                },
            )
            self.assertTrue(client.silent(0.05))
        self.assertEqual(clients[0].broadcast("*", 1)["type"], "error")

    def test_z9_every_pair_of_nodes(self):
        clients = [self.connect(node) for node in self.nodes]
        for client in clients:
            answer = client.subscribe("private.z9", SECRET)
            self.assertEqual(answer["type"], "subscribed")
        for client in clients:
            reached(client, "private.z9", 2, "ready")
        for client in clients:
            while not client.silent(0.1):
                pass
        for publisher in clients:
            for i in range(20):
                publisher.send(type="broadcast", channel="private.z9", data=i)
            for i in range(20):
                self.assertEqual(
                    publisher.receive(),
                    {
                        "type": "received",
                        "channel": "private.z9",
                        "count": 2,
                    },
                )
            for other in clients:
                if other is publisher:
                    continue
                seen = [other.receive() for _ in range(20)]
                self.assertEqual([e["data"] for e in seen], list(range(20)))
                self.assertEqual({e["from"] for e in seen}, {publisher.id})
        for client in clients:
            self.assertTrue(client.silent(0.1))

    def test_z10_joined_comes_first_and_not_to_the_newcomer(self):
        old = [self.connect(node) for node in self.nodes]
        for client in old:
            client.subscribe("private.z10", SECRET)
        reached(old[0], "private.z10", 2, "ready")
        for client in old:
            while not client.silent(0.2):
                pass
        fresh = self.connect(self.nodes[2])
        refused = fresh.subscribe("private.z10", "a guess")
        self.assertEqual(refused["type"], "unauthorized")
        fresh.subscribe("private.z10", SECRET)
        fresh.broadcast("private.z10", "first")
        for client in old:
            self.assertEqual(
                client.receive(),
                {
                    "type": "event",
                    "channel": "private.z10",
                    "data": {"event": "joined", "session": fresh.id},
                },
            )
            self.assertEqual(client.receive()["data"], "first")
        fresh.drop()
        for client in old:
            self.assertEqual(
                client.receive()["data"],
                {"event": "left", "session": fresh.id},
            )


if __name__ == "__main__":
    unittest.main()
