# SPDX-License-Identifier: Apache-2.0
"""Enhanced authentication of MQTT 5 (4.12) by SCRAM-SHA-256: bytes for logins,
for each refusal, and for re-authentication. A client of others is in
tests/conformance/mqtt_auth_js.py."""

import struct
import unittest

from tests.integration.cluster_harness import Cluster, until
from tests.integration.mqtt_client import V5, V311, Raw, packet, text
from tests.integration.mqtt_case import MqttCase
from tests.integration.rights_test import Rights
from tests.integration.scram import METHOD, ScramClient
from tests.integration.troupe_node import TroupeNode

CONNECT, CONNACK, PUBLISH, PUBACK = 0x10, 0x20, 0x30, 0x40
DISCONNECT, AUTH = 0xE0, 0xF0
CONTINUE, AGAIN = 0x18, 0x19
PROTOCOL_ERROR, NOT_AUTHORIZED, BAD_METHOD = 0x82, 0x87, 0x8C


def proving(method, data):
    """Properties of a CONNECT or an AUTH."""
    found = b"" if method is None else b"\x15" + text(method)
    found += b"" if data is None else b"\x16" + text(data)
    return bytes([len(found)]) + found


def properties_of(body):
    """Method and data among the properties of a CONNACK or an AUTH."""
    found = {}
    fixed = {0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x24: 1, 0x25: 1, 0x27: 4,
             0x28: 1, 0x29: 1, 0x2A: 1}
    assert body[0] < 128
    at, end = 1, 1 + body[0]
    while at < end:
        name, at = body[at], at + 1
        if name in fixed:
            at += fixed[name]
            continue
        (size,) = struct.unpack(">H", body[at : at + 2])
        found[name] = body[at + 2 : at + 2 + size]
        at += 2 + size
    return found


class AuthCase(MqttCase):
    settings = {
        "auth.anonymous": "deny",
        "auth.scram_iterations": 4096,
        "auth.grants": "publish:#,subscribe:#",
        "auth.attempts_per_user": 0,
        "auth.attempts_per_address": 0,
        "audit.enabled": "true",
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for uid, password in (
            ("anna", "secret"),
            ("bob", "secret"),
            ("a,b=c", "with, and ="),
        ):
            answer = cls.rights.post(
                "passwords", {"uid": uid, "password": password}
            )
            assert answer["scram"], answer

    def begin(self, first, method=METHOD, name="raw", keep_alive=0, at=None):
        """A connection that has sent a CONNECT with this."""
        raw = Raw(at or self.at)
        self.addCleanup(raw.close)
        raw.send(
            packet(
                CONNECT,
                text("MQTT")
                + bytes([V5, 2])
                + struct.pack(">H", keep_alive)
                + proving(method, first)
                + text(name),
            )
        )
        return raw

    @staticmethod
    def say(raw, why, data, method=METHOD):
        raw.send(packet(AUTH, bytes([why]) + proving(method, data)))

    def challenge(self, raw):
        first, body = raw.packet()
        self.assertEqual((first, body[0]), (AUTH, CONTINUE))
        said = properties_of(body[1:])
        self.assertEqual(said[0x15], METHOD.encode())
        return said[0x16]

    def refused_with(self, raw, code):
        first, body = raw.packet()
        self.assertEqual((first, body[:2]), (CONNACK, bytes([0, code])))
        self.assertNotIn(0x16, properties_of(body[2:]))
        self.assertIsNone(raw.packet())

    def ended_with(self, raw, code):
        first, body = raw.packet()
        self.assertEqual((first, body[0]), (DISCONNECT, code))
        self.assertIsNone(raw.packet())

    def come_in(self, user="anna", password="secret", **options):
        client = ScramClient(user, password)
        raw = self.begin(client.first, **options)
        self.say(raw, CONTINUE, client.final(self.challenge(raw)))
        first, body = raw.packet()
        self.assertEqual((first, body[:2]), (CONNACK, b"\0\0"))
        said = properties_of(body[2:])
        self.assertEqual(said[0x15], METHOD.encode())
        self.assertTrue(client.trusts(said[0x16]))
        return raw

    def again(self, raw, client):
        self.say(raw, AGAIN, client.first)
        self.say(raw, CONTINUE, client.final(self.challenge(raw)))

    def logins(self):
        found = self.node.get_json("/audit?limit=1000&kind=login")["records"]
        return [(r.get("user"), r["accepted"]) for r in found]


class Login(AuthCase):
    def test_both_sides_prove_that_they_know_the_password(self):
        raw = self.come_in()
        raw.send(packet(0x32, text("a") + b"\0\1\0hello"))
        self.assertEqual(raw.packet()[0], PUBACK)
        self.come_in("a,b=c", "with, and =", name="other").close()

    def test_wrong_passwords_and_users_look_the_same(self):
        seen = []
        for user, password in (
            ("anna", "Secret"),
            ("nobody", "secret"),
            ("nobody", "secret"),
        ):
            client = ScramClient(user, password)
            raw = self.begin(client.first)
            final = client.final(self.challenge(raw))
            self.say(raw, CONTINUE, final)
            seen.append(raw.packet())
            self.assertIsNone(raw.packet())
            self.assertEqual(client.iterations, 4096)
            self.assertEqual(len(client.salt), 16)
            seen.append(client.salt)
        known, _, unknown, salt, once_more, same_salt = seen
        self.assertEqual(known[1][:2], bytes([0, NOT_AUTHORIZED]))
        self.assertEqual(known, unknown)
        self.assertEqual(unknown, once_more)
        self.assertEqual(salt, same_salt)

    def test_messages_that_are_none_are_refused(self):
        client = ScramClient("anna", "secret")
        for first in (
            None,
            "",
            "p=tls-unique,," + client.bare,
            "n,,m=ext," + client.bare,
            "n,a=bob," + client.bare,
            "n,,n=caf\u00e9,r=x",
            "n,,n=anna,r=x\u00e9",
            b"n,,n=\xff,r=x",
        ):
            with self.subTest(first=first):
                self.refused_with(self.begin(first), NOT_AUTHORIZED)
        for spoil in (
            lambda final: b"",
            lambda final: final + b",x=1",
            lambda final: final.replace(b"c=biws", b"c=eSws"),
            lambda final: final.replace(b",r=", b",r=x"),
            lambda final: final[:-8] + b"AAAAAAA=",
        ):
            client = ScramClient("anna", "secret")
            raw = self.begin(client.first)
            final = client.final(self.challenge(raw))
            self.say(raw, CONTINUE, spoil(final))
            self.refused_with(raw, NOT_AUTHORIZED)

    def test_other_methods_are_refused(self):
        first = ScramClient("anna", "secret").first
        for method in ("SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "", "GS2-KRB5"):
            with self.subTest(method=method):
                self.refused_with(self.begin(first, method), BAD_METHOD)

    def test_nothing_else_is_said_meanwhile(self):
        for other in (
            packet(PUBLISH, text("a") + b"\0x"),
            packet(0x82, b"\0\1\0" + text("a") + b"\0"),
            packet(0xC0),
            packet(CONNECT, text("MQTT") + bytes([V5, 2, 0, 0, 0]) + text("x")),
            packet(AUTH, bytes([AGAIN]) + proving(METHOD, "x")),
            packet(AUTH, bytes([CONTINUE]) + proving("OTHER", "x")),
        ):
            with self.subTest(other=other):
                raw = self.begin(ScramClient("anna", "secret").first)
                self.challenge(raw)
                raw.send(other)
                first, body = raw.packet()
                self.assertEqual(first, CONNACK)
                self.assertIn(body[1], (0x81, PROTOCOL_ERROR))
                self.assertIsNone(raw.packet())

    def test_an_auth_without_a_method_is_an_error(self):
        raw = self.begin(ScramClient("anna", "secret").first)
        self.challenge(raw)
        raw.send(packet(AUTH, bytes([CONTINUE, 0])))
        self.refused_with(raw, PROTOCOL_ERROR)
        client = self.client(user="anna", password="secret", name="plain")
        client.paho._sock_send(
            packet(AUTH, bytes([AGAIN]) + proving(METHOD, "x"))
        )
        self.assertEqual(client.end(), PROTOCOL_ERROR)

    def test_who_says_goodbye_goes(self):
        raw = self.begin(ScramClient("anna", "secret").first)
        self.challenge(raw)
        raw.send(packet(DISCONNECT))
        self.assertIsNone(raw.packet())

    def test_behind_a_refusal_nothing_counts(self):
        client = ScramClient("anna", "wrong")
        raw = self.begin(client.first)
        final = client.final(self.challenge(raw))
        raw.send(
            packet(AUTH, bytes([CONTINUE]) + proving(METHOD, final))
            + packet(0x32, text("a") + b"\0\1\0x")
        )
        self.refused_with(raw, NOT_AUTHORIZED)

    def test_logins_are_recorded_and_counted(self):
        def counted():
            found = self.node.metrics()
            refused = "troupe_auth_logins_refused_total"
            return (
                found["troupe_auth_logins_total"],
                found.get(refused + '{reason="wrong_credentials"}', 0),
            )

        before = len(self.logins())
        let_in, refused = counted()
        self.come_in().close()
        client = ScramClient("anna", "wrong")
        raw = self.begin(client.first)
        self.say(raw, CONTINUE, client.final(self.challenge(raw)))
        self.refused_with(raw, NOT_AUTHORIZED)
        self.assertEqual(
            [accepted for _, accepted in self.logins()[before:]], [True, False]
        )
        self.assertEqual(counted(), (let_in + 1, refused + 1))

    def test_a_ban_holds(self):
        self.rights.post("passwords", {"uid": "eve", "password": "secret"})
        self.rights.post("bans", {"uid": "eve"})
        client = ScramClient("eve", "secret")
        raw = self.begin(client.first)
        self.say(raw, CONTINUE, client.final(self.challenge(raw)))
        self.refused_with(raw, 0x8A)

    def test_a_new_password_ends_who_came_by_the_old_one(self):
        self.rights.post("passwords", {"uid": "carl", "password": "one"})
        raw = self.come_in("carl", "one")
        self.rights.post("passwords", {"uid": "carl", "password": "two"})
        self.ended_with(raw, NOT_AUTHORIZED)
        self.come_in("carl", "two")

    def test_passwords_that_can_not_be_proven_are_passwords_all_the_same(self):
        answer = self.rights.post(
            "passwords", {"uid": "zoe", "password": "caf\u00e9"}
        )
        self.assertFalse(answer["scram"])
        self.client(user="zoe", password="caf\u00e9", name="zoe")

    def test_verifiers_outlive_a_restart(self):
        node = TroupeNode({"listen.mqtt": "127.0.0.1:0"} | self.settings)
        self.addCleanup(node.remove)
        node.start()
        Rights(node).post("passwords", {"uid": "anna", "password": "secret"})
        salts = []
        for _ in range(2):
            for user, code in (("anna", 0), ("nobody", NOT_AUTHORIZED)):
                client = ScramClient(user, "secret")
                raw = self.begin(client.first, at=node.address("mqtt"))
                self.say(raw, CONTINUE, client.final(self.challenge(raw)))
                self.assertEqual(raw.packet()[1][1], code)
                salts.append(client.salt)
            node.stop()
            node.start()
        self.assertEqual(salts[:2], salts[2:])


class Again(AuthCase):
    def test_traffic_goes_on(self):
        raw = self.come_in(name="again")
        raw.send(packet(0x82, b"\0\1\0" + text("again") + b"\0"))
        self.assertEqual(raw.packet()[0], 0x90)
        for _ in range(2):
            client = ScramClient("anna", "secret")
            self.say(raw, AGAIN, client.first)
            challenge = self.challenge(raw)
            raw.send(packet(0x32, text("again") + b"\0\2\0x"))
            kinds = {raw.packet()[0], raw.packet()[0]}
            self.assertEqual(kinds, {PUBLISH, PUBACK})
            raw.send(packet(0xC0))
            self.assertEqual(raw.packet()[0], 0xD0)
            self.say(raw, CONTINUE, client.final(challenge))
            first, body = raw.packet()
            self.assertEqual((first, body[0]), (AUTH, 0))
            said = properties_of(body[1:])
            self.assertEqual(said[0x15], METHOD.encode())
            self.assertTrue(client.trusts(said[0x16]))
        self.assertEqual(self.logins()[-1], ("anna", True))

    def test_a_wrong_password_ends_it(self):
        raw = self.come_in()
        self.again(raw, ScramClient("anna", "wrong"))
        self.ended_with(raw, NOT_AUTHORIZED)

    def test_another_user_ends_it(self):
        raw = self.come_in()
        self.say(raw, AGAIN, ScramClient("bob", "secret").first)
        self.ended_with(raw, NOT_AUTHORIZED)

    def test_another_method_is_an_error(self):
        raw = self.come_in()
        self.say(raw, AGAIN, ScramClient("anna", "secret").first, "OTHER")
        self.ended_with(raw, PROTOCOL_ERROR)

    def test_out_of_turn_is_an_error(self):
        first = ScramClient("anna", "secret").first
        raw = self.come_in()
        self.say(raw, CONTINUE, first)
        self.ended_with(raw, PROTOCOL_ERROR)
        raw = self.come_in()
        self.say(raw, AGAIN, first)
        self.challenge(raw)
        self.say(raw, AGAIN, first)
        self.ended_with(raw, PROTOCOL_ERROR)


class Silence(AuthCase):
    settings = AuthCase.settings | {"mqtt.connect_timeout": "3s"}

    def test_who_does_not_go_on_is_cut(self):
        reason = 'troupe_connections_refused_total{reason="opening_timeout"}'
        before = self.node.metrics().get(reason, 0)
        raw = self.begin(ScramClient("anna", "secret").first)
        self.challenge(raw)
        self.assertIsNone(raw.packet())
        self.assertEqual(self.node.metrics()[reason], before + 1)

    def test_who_does_not_go_on_is_sent_away(self):
        raw = self.come_in()
        self.say(raw, AGAIN, ScramClient("anna", "secret").first)
        self.challenge(raw)
        self.ended_with(raw, NOT_AUTHORIZED)

    def test_the_keep_alive_counts_before_the_connack(self):
        raw = self.begin(ScramClient("anna", "secret").first, keep_alive=1)
        self.challenge(raw)
        self.assertIsNone(raw.packet())


class Guessing(AuthCase):
    settings = AuthCase.settings | {"auth.attempts_per_user": 3}

    def test_failed_attempts_are_those_of_passwords(self):
        for _ in range(5):  # who is right is not counted
            self.come_in().close()
        for _ in range(2):
            client = ScramClient("anna", "wrong")
            raw = self.begin(client.first)
            self.say(raw, CONTINUE, client.final(self.challenge(raw)))
            self.refused_with(raw, NOT_AUTHORIZED)
        self.assertEqual(self.refused(user="anna", password="wrong"), 0x86)
        self.refused_with(
            self.begin(ScramClient("anna", "secret").first), 0x9F
        )
        self.assertEqual(self.refused(user="anna", password="secret"), 0x9F)
        self.come_in("bob", "secret").close()


class InCluster(AuthCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.remove)
        settings = {
            key.replace(".", "__"): value
            for key, value in AuthCase.settings.items()
        } | {"listen__mqtt": "127.0.0.1:0"}
        first = cls.cluster.node("n1", **settings).start()
        second = cls.cluster.node("n2", join=[first], **settings).start()
        cls.cluster.settled([1, 2])
        cls.nodes = [first, second]

    def test_all_nodes_say_the_same(self):
        Rights(self.nodes[0]).post(
            "passwords", {"uid": "anna", "password": "secret"}
        )
        until(
            lambda: Rights(self.nodes[1]).login(uid="anna", password="secret")
            == "none",
            "the password is not known everywhere",
        )
        for user, code in (("anna", 0), ("nobody", NOT_AUTHORIZED)):
            salts = set()
            for node in self.nodes:
                client = ScramClient(user, "secret")
                raw = self.begin(client.first, at=node.address("mqtt"))
                self.say(raw, CONTINUE, client.final(self.challenge(raw)))
                self.assertEqual(raw.packet()[1][1], code)
                salts.add(client.salt)
            self.assertEqual(len(salts), 1)


class Off(AuthCase):
    """As it is by default."""

    settings = {"auth.anonymous": "deny"}

    @classmethod
    def setUpClass(cls):
        super(AuthCase, cls).setUpClass()
        answer = cls.rights.post(
            "passwords", {"uid": "anna", "password": "secret"}
        )
        assert not answer["scram"], answer

    def test_no_method_is_served(self):
        self.refused_with(
            self.begin(ScramClient("anna", "secret").first), BAD_METHOD
        )
        self.client(user="anna", password="secret", version=V311, name="plain")


if __name__ == "__main__":
    unittest.main()
