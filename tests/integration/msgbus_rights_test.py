# SPDX-License-Identifier: Apache-2.0
"""Who may do what in channels at /msgbus/, and that it ends on live streams of
every node."""

import unittest

from tests.integration.cluster_harness import Cluster
from tests.integration.msgbus_case import OK
from tests.integration.msgbus_client import (
    Wire,
    basic,
    get,
    post,
    publish,
    subscribe,
)
from tests.integration.troupe_node import TroupeNode, within

TEXT = "Content-Type: text/plain\r\n"
SETTINGS = {
    "listen.msgbus": "127.0.0.1:0",
    "auth.grants": "publish:open/#,subscribe:open/#",
}


def bearer(token):
    return f"Authorization: Bearer {token}\r\n"


class RightsCase(unittest.TestCase):
    def change(self, node, path, body, status=200):
        answer = node.request("POST", "/rights/" + path, body)
        self.assertEqual(answer.status, status, answer.text)
        return answer.json

    def ended_by_rights(self, node):
        return node.metrics()[
            "troupe_msgbus_subscribers_ended_by_rights_total"
        ]

    def status_of(self, at, data):
        with Wire(at) as wire:
            wire.send(data)
            return int(wire.head().split()[1])


class OneNode(RightsCase):
    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode(SETTINGS)
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()
        cls.at = cls.node.address("msgbus")

    def test_grants_say_which_channels(self):
        publish_to = lambda c, *more: self.status_of(
            self.at, post("/msgbus/" + c, "x", "".join(more) + TEXT)
        )
        listen_to = lambda c, *more: self.status_of(
            self.at, get("/msgbus/" + c, "".join(more))
        )
        self.assertEqual(publish_to("open/a"), 204)
        self.assertEqual(publish_to("closed/a"), 403)
        self.assertEqual(listen_to("open/a"), 200)
        self.assertEqual(listen_to("closed/a"), 403)
        self.assertEqual(listen_to(""), 403)  # everything is more than open
        token = self.change(
            self.node,
            "tokens",
            {"uid": "anna", "grants": ["publish:closed/a", "subscribe:#"]},
            201,
        )["token"]
        self.assertEqual(publish_to("closed/a", bearer(token)), 204)
        self.assertEqual(publish_to("closed/b", bearer(token)), 403)
        self.assertEqual(listen_to("", bearer(token)), 200)
        self.assertEqual(listen_to("", bearer(token + "x")), 401)

    def test_nobody_takes_the_name_of_a_user_with_a_password(self):
        self.change(
            self.node, "passwords", {"uid": "carl", "password": "secret"}
        )
        with subscribe(self.at, "/msgbus/open/names") as wire:
            for user, password, status in (
                ("carl", "guess", 401),
                ("carl", "", 401),
                ("carl", "secret", 204),
                ("dora", "anything", 204),
            ):
                self.assertEqual(
                    self.status_of(
                        self.at,
                        post(
                            "/msgbus/open/names",
                            user,
                            basic(user, password) + TEXT,
                        ),
                    ),
                    status,
                )
            self.assertIn(b"From: carl\n", wire.chunk())
            self.assertIn(b"From: dora\n", wire.chunk())

    def test_a_stream_ends_with_its_token(self):
        made = self.change(self.node, "tokens", {"uid": "emil"}, 201)
        before = self.ended_by_rights(self.node)
        with subscribe(
            self.at, "/msgbus/open/live", bearer(made["token"])
        ) as wire, subscribe(self.at, "/msgbus/open/live") as other:
            answer = self.node.request(
                "DELETE", "/rights/tokens/" + made["id"]
            )
            self.assertEqual(answer.status, 200, answer.text)
            wire.socket.settimeout(within(1.0))
            self.assertEqual(wire.rest(), b"")
            # Who came with nothing may stay.
            self.assertEqual(publish(self.at, "/msgbus/open/live", "x"), OK)
            self.assertIn(b"\n\nx--", other.chunk())
        self.assertEqual(self.ended_by_rights(self.node), before + 1)


class ThreeNodes(RightsCase):
    def test_a_ban_ends_streams_on_every_node(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        first = cluster.node("n1", **SETTINGS).start()
        nodes = [first] + [
            cluster.node(name, join=[first], **SETTINGS).start()
            for name in ("n2", "n3")
        ]
        cluster.settled({1, 2, 3})
        token = self.change(first, "tokens", {"uid": "fred"}, 201)["token"]
        wires = []
        for node in nodes:
            at = node.address("msgbus")
            # It is good as soon as the node knows of it.
            for _ in range(100):
                if self.status_of(
                    at, post("/msgbus/open/b", "x", bearer(token) + TEXT)
                ) == 204:
                    break
            wires.append(subscribe(at, "/msgbus/open/b", bearer(token)))
        self.change(nodes[2], "bans", {"uid": "fred"})
        for wire in wires:
            wire.socket.settimeout(within(1.0))
            wire.rest()  # ends
            wire.close()
        for node in nodes:
            self.assertEqual(self.ended_by_rights(node), 1)
        for node in nodes:
            self.assertEqual(
                self.status_of(
                    node.address("msgbus"),
                    post("/msgbus/open/b", "x", bearer(token) + TEXT),
                ),
                403,
            )


if __name__ == "__main__":
    unittest.main()
