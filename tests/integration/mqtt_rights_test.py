# SPDX-License-Identifier: Apache-2.0
"""Who comes in by MQTT, and what he may. The tokens are spelled as those that
chat21's clients show to RabbitMQ, and answered as far as docs/protocols/mqtt.md
says so."""

import shutil
import ssl
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from tests.integration.msgbus_client import until
from tests.integration.mqtt_case import MqttCase
from tests.integration.mqtt_client import V5, V31, V311, Client
from tests.integration.rights_test import EFFECT_SECONDS, JWT_SECRET, jwt
from tests.integration.troupe_node import TroupeNode

BAD_CREDENTIALS = {V5: 0x86, V311: 4, V31: 4}
NOT_AUTHORIZED = {V5: 0x87, V311: 5, V31: 5}


class Passwords(MqttCase):
    settings = {
        "auth.anonymous": "deny",
        "auth.grants": "publish:open/#,subscribe:open/#",
        "auth.attempts_per_user": 0,
        "auth.attempts_per_address": 0,
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rights.post("passwords", {"uid": "anna", "password": "secret"})
        cls.rights.post(
            "accounts",
            {
                "uid": "anna",
                "op": "give",
                "grants": ["publish:home/%u/%c", "subscribe:home/%u/#"],
            },
        )

    def anna(self, **options):
        return self.client(user="anna", password="secret", **options)

    def test_a_password_lets_its_user_in(self):
        for version in (V31, V311, V5):
            with self.subTest(version=version):
                self.anna(version=version)
                for user, password in (
                    ("anna", "Secret"),
                    ("bob", "secret"),
                    ("anna", ""),
                ):
                    self.assertEqual(
                        self.refused(
                            version=version, user=user, password=password
                        ),
                        BAD_CREDENTIALS[version],
                    )
                self.assertEqual(
                    self.refused(version=version), NOT_AUTHORIZED[version]
                )

    def test_a_static_token_is_a_password(self):
        token = self.give_token("tom", "publish:toms")
        self.client(user="tom", password=token).publish("toms", "x", qos=1)
        self.client(user="JWT", password=token).publish("toms", "x", qos=1)
        self.assertEqual(self.refused(user="anna", password=token), 0x86)
        self.assertEqual(self.refused(user="JWT", password=token + "x"), 0x86)

    def test_placeholders_are_the_users_and_the_clients_names(self):
        client = self.anna(name="lamp")
        self.assertEqual(client.subscribe("home/anna/#"), [0])
        client.publish("home/anna/lamp", "mine", qos=1)
        self.assertEqual(client.next().payload, b"mine")
        client.publish("home/anna/fridge", "not mine")
        self.assertEqual(client.end(), 0x87)

    def test_what_is_denied_ends_the_connection(self):
        for version in (V311, V5):
            with self.subTest(version=version):
                client = self.anna(version=version)
                client.paho.subscribe("home/bob/#")
                client.end()
                client = self.anna(version=version)
                client.paho.publish("home/bob/x", "x", qos=1)
                client.end()
                self.assertTrue(client.acknowledged.empty())

    def test_changes_take_effect_within_a_second(self):
        self.rights.post("passwords", {"uid": "carl", "password": "c"})
        grants = {"uid": "carl", "grants": ["subscribe:carl"]}
        self.rights.post("accounts", {"op": "give", **grants})
        client = self.client(user="carl", password="c")
        self.assertEqual(client.subscribe("carl", "open/a"), [0, 0])
        began = time.monotonic()
        self.rights.post("accounts", {"op": "take", **grants})
        self.assertEqual(client.end(), 0x87)
        self.assertLess(time.monotonic() - began, EFFECT_SECONDS)
        client = self.client(user="carl", password="c")
        began = time.monotonic()
        self.rights.post("bans", {"uid": "carl"}, status=200)
        self.assertEqual(client.end(), 0x87)
        self.assertLess(time.monotonic() - began, EFFECT_SECONDS)
        self.assertEqual(self.refused(user="carl", password="c"), 0x8A)


class Policies(MqttCase):
    settings = {"auth.grants": "publish:open/#,subscribe:open/#"}

    def node_with(self, policy):
        node = TroupeNode(
            {"listen.mqtt": "127.0.0.1:0", "mqtt.denied": policy}
            | self.settings
        )
        self.addCleanup(node.remove)
        node.start()
        return node.address("mqtt")

    def test_an_answer(self):
        at = self.node_with("answer")
        for version, code in ((V5, 0x87), (V311, 0x80)):
            with self.subTest(version=version):
                client = self.client(at=at, version=version)
                self.assertEqual(
                    client.subscribe("secret", "open/a"), [code, 0]
                )
                client.publish("secret", "x", qos=1)
                client.publish("secret", "x", qos=2)
                client.publish("open/a", "x", qos=1)
                self.assertEqual(client.next().payload, b"x")

    def test_silence(self):
        at = self.node_with("silent")
        client, other = self.client(at=at), self.client(at=at)
        self.assertEqual(client.subscribe("secret", "open/a"), [0, 0])
        other.publish("secret", "no", qos=1)
        other.publish("open/a", "yes", qos=1)
        self.assertEqual(client.next().payload, b"yes")


UID = "01-USER1"
OTHER = "02-USER2"


class Scopes(MqttCase):
    """What RabbitMQ does with chat21's tokens."""

    settings = {
        "auth.anonymous": "deny",
        "auth.jwt_secret": JWT_SECRET,
        "auth.jwt_audience": "rabbitmq",
        "auth.jwt_scopes_of": "rabbitmq",
        "auth.jwt_endless": "true",
        "auth.jwt_leeway": "0",
        "auth.attempts_per_address": 0,
        "mqtt.expired": "refuse",
    }

    def token(self, secret=JWT_SECRET, without=(), **changes):
        claims = {
            "sub": UID,
            "app_id": "tilechat",
            "aud": ["rabbitmq", UID],
            "scope": [
                f"rabbitmq.read:*/*/apps.tilechat.users.{UID}.*",
                f"rabbitmq.write:*/*/apps.tilechat.users.{UID}.*",
                f"rabbitmq.write:*/*/apps.tilechat.outgoing.users.{UID}.*",
                "rabbitmq.configure:*/*/*",
            ],
            "iat": int(time.time()) - 10,
            "exp": int(time.time()) + 3600,
            "kid": "tiledesk-key",
        } | changes
        return jwt({k: v for k, v in claims.items() if k not in without}, secret)

    def each_way(self):
        """Versions, and how to come in with them."""
        ways = []
        for version in (V311, V5):
            for web in (None, "/ws"):
                at = self.node.address() if web else self.at
                how = {"at": at, "websocket": web, "version": version}
                ways.append((version, how))
        return ways

    def come(self, token=None, user="JWT", **options):
        return self.client(
            user=user, password=token or self.token(), **options
        )

    def test_who_comes_in(self):
        for version, how in self.each_way():
            self.come(**how)
            self.come(user="anybody", **how)
            self.come(self.token(without=("exp",)), **how)
            self.come(self.token(aud="rabbitmq"), **how)
            self.come(
                self.token(
                    scope="rabbitmq.configure:*/* rabbitmq.read:*/*/a"
                ),
                **how,
            )

    def test_who_does_not(self):
        now = int(time.time())
        for version, how in self.each_way():
            bad, none = BAD_CREDENTIALS[version], NOT_AUTHORIZED[version]
            self.assertEqual(self.refused(**how), none)
            for token in (
                self.token(secret="another"),
                self.token(exp=now - 5),
                "garbage",
                self.token(aud=[UID]),
                self.token(without=("aud",)),
                jwt({"sub": UID, "aud": "rabbitmq"}, algorithm="none"),
            ):
                self.assertEqual(
                    self.refused(user="JWT", password=token, **how), bad
                )
            self.assertEqual(
                self.refused(user="JWT", password=self.token(scope=[]), **how),
                none,
            )

    def test_what_is_subscribed(self):
        for version, how in self.each_way():
            client = self.come(**how)
            self.assertEqual(
                client.subscribe(f"apps/tilechat/users/{UID}/#", qos=1), [1]
            )
            for filter in (
                f"apps/tilechat/users/{OTHER}/#",
                "#",
                "apps/tilechat/users/+/messages/#",
                f"apps/tilechat/users/{UID}",
            ):
                client = self.come(**how)
                client.paho.subscribe(filter)
                client.end()
            client = self.come(
                self.token(
                    scope=[f"rabbitmq.read:*/*/apps.tilechat.users.{UID}.*"]
                ),
                **how,
            )
            client.paho.subscribe(f"apps/tilechat/users/{UID}/#")
            client.end()

    def test_what_is_published(self):
        mine = f"apps/tilechat/outgoing/users/{UID}/messages/{OTHER}/outgoing"
        for version, how in self.each_way():
            client = self.come(**how)
            client.publish(mine, "x", qos=1)
            client.publish(f"apps/tilechat/users/{UID}/a", "x", qos=2)
            for topic in (
                f"apps/tilechat/users/{OTHER}/messages/{UID}/clientadded",
                f"apps/tilechat/outgoing/users/{OTHER}/messages/a/outgoing",
            ):
                for qos in (0, 1):
                    client = self.come(**how)
                    client.paho.publish(topic, "x", qos)
                    client.end()
                    # paho says of QoS 0 that it is published once it is sent.
                    if qos:
                        self.assertTrue(client.acknowledged.empty())

    def test_a_will_outside_of_the_rights_goes_nowhere(self):
        watcher = self.come(
            self.token(
                sub=OTHER,
                scope=["rabbitmq.read:*/*/*", "rabbitmq.configure:*/*/*"],
            )
        )
        watcher.subscribe("#")
        self.come(will={"topic": "elsewhere", "payload": "x"}).drop()
        ours = f"apps/tilechat/users/{UID}/presence/x"
        self.come(will={"topic": ours, "payload": "y"}).drop()
        self.assertEqual(watcher.next().topic, ours)

    def test_an_expired_token_is_refused_what_it_asks_for_next(self):
        topic = f"apps/tilechat/users/{UID}/a"
        token = self.token(exp=int(time.time()) + 3)
        client = self.come(token, version=V311)
        client.subscribe(f"apps/tilechat/users/{UID}/#")
        client.publish(topic, "1", qos=1)
        self.assertEqual(client.next().payload, b"1")
        # It stays, and hears; the first thing it says afterwards is the last.
        other = self.come(version=V311)
        until(
            lambda: self.rights.login(bearer=token) == "expired",
            "the token never expired",
        )
        other.publish(topic, "2", qos=1)
        self.assertEqual(client.next().payload, b"2")
        self.assertTrue(client.ended.empty())
        client.paho.publish(topic, "3")
        client.end()


class Certificates(unittest.TestCase):
    def test_the_subject_names_the_user(self):
        if shutil.which("openssl") is None:
            self.skipTest("the openssl command is not installed")
        folder = tempfile.TemporaryDirectory(prefix="troupe-mqtt-")
        self.addCleanup(folder.cleanup)
        root = Path(folder.name)

        def openssl(*arguments):
            subprocess.run(
                ["openssl", *arguments], cwd=root, check=True, capture_output=True
            )

        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
               "-nodes")
        openssl(
            "req", "-x509", *key, "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", "ca.key", "-out", "ca.crt",
        )
        openssl(
            "req", *key, "-subj", "/O=house/CN=lamp, left", "-keyout",
            "lamp.key", "-out", "lamp.csr",
        )
        openssl(
            "x509", "-req", "-in", "lamp.csr", "-CA", "ca.crt", "-CAkey",
            "ca.key", "-CAcreateserial", "-days", "2", "-out", "lamp.crt",
        )
        node = TroupeNode(
            {
                "listen.mqtts": "127.0.0.1:0",
                "tls.certificate": root / "ca.crt",
                "tls.key": root / "ca.key",
                "tls.client_ca": root / "ca.crt",
                "mqtt.certificate_users": "true",
                "auth.anonymous": "deny",
                "auth.grants": "publish:of/%u",
            }
        )
        self.addCleanup(node.remove)
        node.start()
        context = ssl.create_default_context(cafile=root / "ca.crt")
        context.load_cert_chain(root / "lamp.crt", root / "lamp.key")
        client = Client(
            ("localhost", node.address("mqtts")[1]), tls=context, version=V5
        )
        self.addCleanup(client.drop)
        client.publish("of/lamp, left", "x", qos=1)
        client.publish("of/another", "x")
        self.assertEqual(client.end(), 0x87)


if __name__ == "__main__":
    unittest.main()
