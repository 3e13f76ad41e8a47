# SPDX-License-Identifier: Apache-2.0
"""What a client of MQTT gets that publishes or subscribes where it may not, by
the policy of its listener: clients of others and bytes."""

import struct
import unittest

from tests.integration.mqtt_client import (
    V5,
    V31,
    V311,
    Mosquitto,
    Raw,
    connect,
    packet,
    text,
)
from tests.integration.mqtt_case import MqttCase

NOT_AUTHORIZED = 0x87


def pub(topic, payload=b"x", qos=1, number=7, version=V311):
    body = text(topic) + struct.pack(">H", number)
    return packet(
        0x30 | qos << 1, body + (b"\0" if version == V5 else b"") + payload
    )


def sub(topic, qos=1, number=9, version=V311):
    body = struct.pack(">H", number) + (b"\0" if version == V5 else b"")
    return packet(0x82, body + text(topic) + bytes([qos]))


def unsub(topic, number=11, version=V311):
    body = struct.pack(">H", number) + (b"\0" if version == V5 else b"")
    return packet(0xA2, body + text(topic))


class Listeners(MqttCase):
    """One node, whose listeners do not do the same."""

    settings = {
        "auth.grants": "publish:open/#,subscribe:open/#",
        "mqtt.denied": "answer",
        "mqtt.denied_public": "silent",
        "audit.enabled": "true",
        "log.level": "debug",
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.public = cls.node.address()

    def open(self, at, version):
        made = Raw(at)
        self.addCleanup(made.close)
        made.send(connect(version, name=f"raw-{self.id()}-{version}"))
        self.assertEqual(made.packet()[0], 0x20)
        return made

    def denials(self, *kinds):
        """Metrics, and records of the audit, of what was refused."""
        found = self.node.get_json("/audit?limit=1000")["records"]
        return (
            sum(
                self.metric(f'refused_total{{what="{kind}"}}')
                for kind in ("publish", "subscribe")
            ),
            len([r for r in found if r["kind"] in kinds and not r["accepted"]]),
        )

    def test_an_answer_at_one_silence_at_the_other(self):
        for version in (V31, V311, V5):
            with self.subTest(version=version):
                for at, answers in (
                    (self.at, True),
                    (self.public, False),
                ):
                    told = answers and version == V5
                    client = self.client(at=at, version=version)
                    subscribed = {V5: NOT_AUTHORIZED, V311: 0x80, V31: 1}
                    self.assertEqual(
                        client.subscribe("secret", "open/a", qos=1),
                        [subscribed[version] if answers else 1, 1],
                    )
                    raw = self.open(at, version)
                    code = bytes([NOT_AUTHORIZED]) if told else b""
                    raw.send(pub("secret", version=version))
                    first, body = raw.packet()
                    self.assertEqual(
                        (first, body[:2], body[2:3]), (0x40, b"\0\7", code)
                    )
                    raw.send(pub("secret", qos=2, version=version))
                    first, body = raw.packet()
                    self.assertEqual(
                        (first, body[:2], body[2:3]), (0x50, b"\0\7", code)
                    )
                    raw.send(
                        packet(
                            0x30,
                            text("secret")
                            + (b"\0" if version == V5 else b"")
                            + b"x",
                        )
                        + pub("open/a", b"yes", version=version)
                    )
                    self.assertEqual(raw.packet()[0], 0x40)
                    self.assertEqual(client.next().payload, b"yes")
                    self.assertTrue(client.messages.empty())

    def test_silence_does_not_tell_at_the_end_either(self):
        raw = self.open(self.public, V5)
        raw.send(sub("secret", version=V5) + unsub("secret", version=V5))
        self.assertEqual(raw.packet(), (0x90, b"\0\x09\0\x01"))
        self.assertEqual(raw.packet(), (0xB0, b"\0\x0b\0\0"))

    def test_silence_is_counted_and_recorded_and_logged(self):
        metrics, records = self.denials("publish", "join")
        raw = self.open(self.public, V5)
        raw.send(sub("secret", version=V5))
        raw.packet()
        raw.send(pub("secret", version=V5))
        raw.packet()
        self.assertEqual(
            self.denials("publish", "join"), (metrics + 2, records + 2)
        )
        self.node.wait_for_log(": publish of secret refused: not_granted")
        self.node.wait_for_log(": join of secret refused: not_granted")

    def test_31_ends_where_it_has_no_word(self):
        raw = self.open(self.at, V31)
        raw.send(sub("open/#/b"))
        self.assertIsNone(raw.packet())

    def test_a_websocket_is_at_the_public_listener(self):
        client = self.client(at=self.public, websocket="/mqtt")
        self.assertEqual(client.subscribe("secret"), [0])

    def test_mosquittos_programs_see_it(self):
        at, public = Mosquitto(self.at), Mosquitto(self.public)
        arguments = ("-t", "secret", "-m", "x", "-q", "1")
        done = at.pub(*arguments, version=V5)
        self.assertIn("Not authorized", done.stdout + done.stderr)
        done = public.pub(*arguments, version=V5)
        self.assertNotIn("Not authorized", done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0)


class Closing(MqttCase):
    """The default, and a listener with its own."""

    settings = {
        "auth.grants": "publish:open/#,subscribe:open/#",
        "mqtt.denied_public": "answer",
    }

    def test_the_others_end(self):
        for version in (V31, V311, V5):
            for what in (sub, pub):
                with self.subTest(version=version, what=what.__name__):
                    raw = self.raw()
                    raw.send(
                        connect(version) + what("secret", version=version)
                    )
                    self.assertEqual(raw.packet()[0], 0x20)
                    rest = raw.rest()
                    if version == V5:
                        ((first, body),) = rest
                        self.assertEqual(
                            (first, body[0]), (0xE0, NOT_AUTHORIZED)
                        )
                    else:
                        self.assertEqual(rest, [])

    def test_the_own_one_answers(self):
        client = self.client(at=self.node.address(), version=V311)
        self.assertEqual(client.subscribe("secret", "open/a"), [0x80, 0])


if __name__ == "__main__":
    unittest.main()
