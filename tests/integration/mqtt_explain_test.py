# SPDX-License-Identifier: Apache-2.0
"""What /explain and `troupe explain` say of a publication is what becomes of it
when it is made."""

import json
import queue
import unittest
from urllib.parse import urlencode

from tests.integration.cli_test import troupe
from tests.integration.cluster_harness import Cluster, until
from tests.integration.mqtt_client import (
    V5,
    V311,
    Client,
    SubscribeOptions,
)
from tests.integration.msgbus_client import Wire
from tests.integration.rights_test import Rights
from tests.integration.troupe_node import TroupeNode

HOUR = 3600
SETTINGS = {"listen.mqtt": "127.0.0.1:0", "mqtt.denied": "answer"}


def explain(node, topic, **question):
    question = {
        key: str(value).lower() if isinstance(value, bool) else value
        for key, value in question.items()
    }
    return node.get_json("/explain?" + urlencode({"topic": topic, **question}))


def rows(explained):
    """Listeners of all nodes that have said, by client."""
    lists = [explained["listeners"]]
    lists += [n["listeners"] for n in explained["nodes"] if n["said"]]
    return {row["client"]: row for each in lists for row in each["rows"]}


def queued(explained):
    return {row["client"]: row for row in explained["sessions"]["rows"]}


class Case(unittest.TestCase):
    def client(self, at, name, version=V5, clean=True, expiry=0, **options):
        if expiry:
            options["SessionExpiryInterval"] = expiry
        made = Client(at, version, name, clean=clean, **options)
        self.addCleanup(made.drop)
        return made

    def arrived(self, client, marker):
        """What has come before a message that surely comes."""
        seen = []
        while True:
            message = client.next()
            if message.topic == marker:
                return seen
            seen.append(message)


class OneNode(Case):
    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode(
            SETTINGS
            | {
                "auth.grants": "publish:open/#,subscribe:#",
            }
        )
        cls.addClassCleanup(cls.node.remove)
        cls.at = cls.node.start().address("mqtt")
        cls.rights = Rights(cls.node)

    def test_what_is_explained_is_what_arrives(self):
        """Explained first, then published, for everybody in each case."""
        clients = {
            "qos0": self.client(self.at, "qos0"),
            "qos1": self.client(self.at, "qos1"),
            "old": self.client(self.at, "old", V311),
            "small": self.client(self.at, "small", MaximumPacketSize=60),
            "twice": self.client(self.at, "twice"),
            "own": self.client(self.at, "own"),
            "stays": self.client(self.at, "stays", expiry=HOUR),
            "stays0": self.client(self.at, "stays0", expiry=HOUR),
            "other": self.client(self.at, "other"),
        }
        marker = "open/marker"
        wanted = {
            "qos0": [("open/t/#", SubscribeOptions(0))],
            "qos1": [("open/t/+", SubscribeOptions(1))],
            "old": [("open/t/a", 1)],
            "small": [("open/t/#", SubscribeOptions(1))],
            "twice": [
                ("open/t/#", SubscribeOptions(0)),
                ("open/t/a", SubscribeOptions(2, retainAsPublished=True)),
            ],
            "own": [("open/t/#", SubscribeOptions(1, noLocal=True))],
            "stays": [("open/t/#", SubscribeOptions(1))],
            "stays0": [("open/t/#", SubscribeOptions(0))],
            "other": [("open/else", SubscribeOptions(1))],
        }
        for name, filters in wanted.items():
            # A marker that comes behind, whatever the QoS: what has QoS 2 is
            # shown when it is released.
            qos = 2 if name == "twice" else 1
            clients[name].subscribe(
                *filters,
                (marker, qos if name == "old" else SubscribeOptions(qos)),
            )
        publishers = {
            "own": clients["own"],
            "from": self.client(self.at, "from"),
        }
        for by, client in publishers.items():
            for qos in (0, 1, 2):
                for size in (1, 100):
                    for topic in ("open/t/a", "open/t/a/b", "open/nobody"):
                        with self.subTest(by=by, qos=qos, size=size, on=topic):
                            self.compare(
                                clients, by, client, topic, qos, size, marker
                            )

    def compare(self, clients, by, client, topic, qos, size, marker):
        said = explain(self.node, topic, client=by, qos=qos, bytes=size)
        self.assertTrue(said["published"], said)
        self.assertEqual(said["publisher"]["granted_by"], "open/#")
        expected = {}
        for name, row in rows(said).items():
            if row["becomes"] == "given":
                expected[name] = (row["qos"], row["retain"])
        for name, row in queued(said).items():
            # It is connected, and has it out of its inbox.
            if row["becomes"] == "queued":
                self.assertEqual(rows(said)[name]["becomes"], "inbox")
                expected[name] = (row["qos"], False)
        client.publish(topic, b"x" * size, qos)
        client.publish(marker, b"", 2)
        for name, each in clients.items():
            came = [
                (m.qos, bool(m.retain)) for m in self.arrived(each, marker)
            ]
            self.assertEqual(
                came,
                [expected[name]] if name in expected else [],
                f"{name}: {said}",
            )

    def test_why_it_is_dropped(self):
        small = self.client(self.at, "small2", MaximumPacketSize=40)
        small.subscribe("open/why")
        own = self.client(self.at, "own2")
        own.subscribe(("open/why", SubscribeOptions(0, noLocal=True)))
        said = rows(explain(self.node, "open/why", client="own2", bytes=100))
        self.assertEqual(said["small2"]["becomes"], "dropped")
        self.assertIn("maximum packet size", said["small2"]["why"])
        self.assertEqual(said["own2"]["becomes"], "dropped")
        self.assertIn("no local", said["own2"]["why"])

    def test_rights_say_which_grant_of_which_role(self):
        self.rights.post(
            "roles",
            {"role": "editor", "op": "give", "grants": ["publish:docs/%u/#"]},
        )
        self.rights.post(
            "accounts", {"uid": "anna", "op": "give", "roles": ["editor"]}
        )
        said = explain(self.node, "docs/anna/1", user="anna")
        self.assertTrue(said["published"], said)
        self.assertEqual(said["publisher"]["granted_by"], "docs/anna/#")
        by = [g for g in said["publisher"]["grants"] if g["permits"]]
        self.assertEqual(
            by,
            [
                {
                    "from": "role editor",
                    "grant": "publish:docs/%u/#",
                    "permits": True,
                }
            ],
        )
        said = explain(self.node, "docs/bob/1", user="anna")
        self.assertFalse(said["published"])
        self.assertEqual(said["why"], "not_granted")
        self.assertNotIn("listeners", said)
        # And that is so.
        client = self.client(self.at, "denied")
        self.assertFalse(
            explain(self.node, "docs/bob/1", client="denied")["published"]
        )
        listener = self.client(self.at, "hears")
        listener.subscribe("docs/#", "open/end")
        client.publish("docs/bob/1", b"x", 1)
        client.publish("open/end", b"", 1)
        self.assertEqual(self.arrived(listener, "open/end"), [])
        self.assertFalse(explain(self.node, "$SYS/x", user="anna")["published"])

    def test_bans_are_told_of(self):
        self.rights.post(
            "bans", {"uid": "carl", "reason": "too loud", "for_ms": 3600000}
        )
        said = explain(self.node, "open/a", user="carl")
        self.assertFalse(said["published"])
        self.assertEqual(said["why"], "user_banned")
        self.assertEqual(said["publisher"]["ban"]["reason"], "too loud")

    def test_the_next_of_a_share(self):
        members = {}
        for name in ("m1", "m2", "m3"):
            members[name] = self.client(self.at, name)
            members[name].subscribe(("$share/crew/open/jobs", 1))
        client = self.client(self.at, "boss")
        for _ in range(5):
            said = explain(self.node, "open/jobs", client="boss", qos=0)
            share = said["shares"][0]
            self.assertEqual(share["total"], 3)
            self.assertEqual(share["by"], "connections")
            (name,) = rows(said)
            self.assertEqual(rows(said)[name]["share"], "crew")
            client.publish("open/jobs", name)
            self.assertEqual(members[name].next().payload, name.encode())
        for each in members.values():
            self.assertTrue(each.messages.empty())

    def test_other_doors(self):
        with Wire(self.node.address()) as stream:
            stream.send(
                b"GET /msgbus/open/bus?type=text/plain HTTP/1.1\r\n"
                b"Host: x\r\n\r\n"
            )
            until(
                lambda: explain(self.node, "open/bus")["listeners"]["total"],
                "nobody listens",
            )
            said = explain(self.node, "open/bus", content_type="text/plain")
            self.assertEqual(said["listeners"]["given"], 1)
            self.assertEqual(said["listeners"]["rows"][0]["door"], "msgbus")
            said = explain(self.node, "open/bus", content_type="image/png")
            self.assertEqual(said["listeners"]["dropped"], 1)
            self.assertIn("filters", said["listeners"]["rows"][0]["why"])

    def test_the_key_that_it_would_set(self):
        client = self.client(self.at, "keeps")
        said = explain(
            self.node, "open/key", client="keeps", retain=True, bytes=3
        )
        self.assertEqual(said["key"]["becomes"], "set")
        self.assertIsNone(said["key"]["revision"])
        client.publish("open/key", b"abc", 1, True)
        now = self.node.get_json("/keys/open/key")["revision"]
        said = explain(self.node, "open/key", client="keeps", retain=True)
        self.assertEqual(said["key"]["becomes"], "cleared")
        self.assertEqual(said["key"]["revision"], now)
        self.assertTrue(said["key"]["said"])

    def test_answers_are_bounded(self):
        many = [self.client(self.at, f"many{n}") for n in range(5)]
        for each in many:
            each.subscribe("open/many")
        said = explain(self.node, "open/many", limit=2)["listeners"]
        self.assertEqual((said["total"], len(said["rows"])), (5, 2))

    def test_what_can_not_be_asked(self):
        for question in ("", "topic=a/%23", "topic=a&qos=3", "topic=a&bytes=x"):
            self.assertEqual(self.node.get("/explain?" + question).status, 400)

    def test_on_the_command_line(self):
        listener = self.client(self.at, "cli-listener")
        listener.subscribe(("open/cli", 1))
        at = self.node.admin_url.removeprefix("http://")
        done = troupe(
            "explain", "open/cli", "--as", "anna", "--qos", "1",
            "--admin", at,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("by anna", done.stdout)
        self.assertIn("open/# is granted", done.stdout)
        self.assertIn("cli-listener", done.stdout)
        done = troupe("explain", "open/cli", "--json", "--admin", at)
        self.assertEqual(json.loads(done.stdout)["listeners"]["given"], 1)

    def test_nobody_is_told_and_nothing_is_counted(self):
        listener = self.client(self.at, "quiet")
        listener.subscribe(("open/quiet", 1))
        before = self.node.metrics()
        for _ in range(3):
            explain(self.node, "open/quiet", qos=1, retain=True, bytes=1)
            explain(self.node, "shut", user="anna")
        after = self.node.metrics()
        for name in before:
            if name.startswith(("troupe_publish", "troupe_topic", "troupe_keys", "troupe_auth_denied")):
                self.assertEqual(before[name], after[name], name)
        with self.assertRaises(queue.Empty):
            listener.messages.get_nowait()
        self.assertEqual(self.node.get("/keys/open/quiet").status, 404)


class Away(Case):
    def setUp(self):
        self.node = TroupeNode(
            SETTINGS
            | {
                "mqtt.session_messages_max": 2,
                "mqtt.session_overflow": "refuse",
            }
        )
        self.addCleanup(self.node.remove)
        self.at = self.node.start().address("mqtt")

    def test_sessions_that_are_away(self):
        away = self.client(self.at, "away", clean=False, expiry=HOUR)
        away.subscribe(("open/away", 1))
        none = self.client(self.at, "away0", clean=False, expiry=HOUR)
        none.subscribe(("open/away", 0))
        for each in (away, none):
            each.close()
        until(
            lambda: all(
                not row["connected"]
                for row in self.node.get_json(
                    "/mqtt/sessions?scope=kept&limit=1000"
                )["sessions"]
                if row["client"].startswith("away")
            ),
            "they are there still",
        )
        client = self.client(self.at, "writes")
        taken = 0
        for n in range(4):  # two may wait
            said = explain(self.node, "open/away", client="writes", qos=1)
            row = queued(said)["away"]
            self.assertFalse(row["connected"])
            self.assertEqual(row["queued"], min(n, 2))
            self.assertIn("ends_ms", row)
            self.assertEqual(row["becomes"], "queued" if n < 2 else "dropped")
            taken += row["becomes"] == "queued"
            self.assertEqual(queued(said)["away0"]["becomes"], "dropped")
            client.publish("open/away", str(n), 1)
        self.assertEqual(
            explain(self.node, "open/away", client="writes")["sessions"]["rows"],
            [],
        )
        back = self.client(self.at, "away", clean=False, expiry=HOUR)
        # By QoS 0: there is no room in its inbox before it has acknowledged.
        back.subscribe(("open/end2", 0))
        client.publish("open/end2", b"", 1)
        self.assertEqual(
            [m.payload for m in self.arrived(back, "open/end2")],
            [str(n).encode() for n in range(taken)],
        )
        # Whose it is, though it is not connected.
        back.close()
        said = explain(self.node, "open/a", client="away")
        self.assertTrue(said["published"])


class OfACluster(Case):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.remove)
        more = {k.replace(".", "__"): v for k, v in SETTINGS.items()}
        cls.first = cls.cluster.node("n1", **more).start()
        cls.second = cls.cluster.node("n2", [cls.first], **more).start()
        cls.cluster.settled({1, 2})

    def test_what_other_nodes_say(self):
        near = self.client(self.first.address("mqtt"), "near")
        far = self.client(self.second.address("mqtt"), "far")
        picky = self.client(
            self.second.address("mqtt"), "picky", MaximumPacketSize=50
        )
        for each in (near, far, picky):
            each.subscribe(("both", 1))
        writer = self.client(self.first.address("mqtt"), "writer")

        def heard():
            said = explain(
                self.first, "both", client="writer", qos=1, bytes=100
            )
            return said if len(rows(said)) == 3 else None

        said = until(heard, "the other node has not told of its clients")
        self.assertEqual(rows(said)["near"]["becomes"], "given")
        self.assertEqual(rows(said)["far"]["becomes"], "given")
        self.assertEqual(rows(said)["picky"]["becomes"], "dropped")
        writer.publish("both", b"x" * 100, 1)
        self.assertEqual(near.next().payload, b"x" * 100)
        self.assertEqual(far.next().payload, b"x" * 100)
        self.assertTrue(picky.messages.empty())

    def test_a_client_is_explained_where_it_is(self):
        far = self.client(self.second.address("mqtt"), "elsewhere")
        far.subscribe(("own", SubscribeOptions(0, noLocal=True)))
        said = explain(self.first, "own", client="elsewhere")
        self.assertEqual(said["node"], 2)
        self.assertEqual(rows(said)["elsewhere"]["becomes"], "dropped")

    def test_a_session_without_a_record_ends_at_another_node(self):
        far = self.client(self.second.address("mqtt"), "to-be-kicked")
        answer = self.first.request(
            "DELETE", "/mqtt/sessions?client=to-be-kicked"
        )
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(far.end(), 0x98)
        answer = self.first.request("DELETE", "/mqtt/sessions?client=nobody")
        self.assertEqual(answer.status, 404)


if __name__ == "__main__":
    unittest.main()
