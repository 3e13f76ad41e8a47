# SPDX-License-Identifier: Apache-2.0
"""How MQTT's sessions begin and end, from outside."""

import time
import unittest

from tests.integration.mqtt_case import MqttCase
from tests.integration.mqtt_client import V5, V31, V311, Raw, connect
from tests.integration.troupe_node import TroupeNode, within


class NoSessions(MqttCase):
    settings = {"mqtt.sessions": "false"}

    def test_nothing_stays(self):
        client = self.client(SessionExpiryInterval=3600)
        self.assertEqual(client.welcome.SessionExpiryInterval, 0)
        client = self.client(version=V311, name="old", clean=False)
        self.assertEqual(client.flags["session present"], 0)
        client.subscribe("old", qos=1)
        client.close()
        again = self.client(version=V311, name="old", clean=False)
        self.assertEqual(again.flags["session present"], 0)


class Lives(MqttCase):
    """How sessions begin and end."""

    def test_the_same_client_again_takes_over(self):
        watcher = self.client()
        watcher.subscribe("gone")
        for version in (V5, V311):
            first = self.client(
                version=version,
                name="twice",
                will={"topic": "gone", "payload": "1"},
            )
            second = self.client(version=version, name="twice")
            code = first.end()
            if version == V5:
                self.assertEqual(code, 0x8E)
            self.assertEqual(watcher.next().payload, b"1")
            second.publish("gone", "2", qos=1)
            self.assertEqual(watcher.next().payload, b"2")

    def test_an_operator_sees_sessions_and_ends_them(self):
        client = self.client(name="lamp/1")
        self.client(name="lamp/2", version=V311)
        page = self.node.get_json("/mqtt/sessions?limit=1&after=lamp/")
        self.assertEqual(page["next"], "lamp/1")
        row = page["sessions"][0]
        self.assertEqual(row["client"], "lamp/1")
        self.assertEqual(row["version"], "5")
        rows = self.node.get_json("/mqtt/sessions?after=lamp/1")["sessions"]
        self.assertEqual(rows[0]["version"], "3.1.1")
        path = "/mqtt/sessions?client=lamp/1"
        self.assertEqual(self.node.request("DELETE", path).status, 200)
        self.assertEqual(client.end(), 0x98)
        self.assertEqual(self.node.request("DELETE", path).status, 404)

    def test_a_will_is_for_those_who_say_no_goodbye(self):
        watcher = self.client()
        watcher.subscribe("will/#")

        def dying(name, **options):
            return self.client(
                will={"topic": f"will/{name}", "payload": "x", "qos": 1},
                **options,
            )

        dying("polite").close()
        dying("dropped").drop()
        self.assertEqual(watcher.next().topic, "will/dropped")
        with_will = dying("asked")
        from paho.mqtt.reasoncodes import ReasonCodes
        from paho.mqtt.packettypes import PacketTypes

        with_will.close(
            ReasonCodes(PacketTypes.DISCONNECT, "Disconnect with will message")
        )
        self.assertEqual(watcher.next().topic, "will/asked")
        old = dying("old", version=V311)
        old.drop()
        self.assertEqual(watcher.next().topic, "will/old")

    def test_who_is_silent_goes(self):
        with self.raw() as raw:
            raw.send(connect(V5, "silent", keep_alive=1))
            raw.packet()
            began = time.monotonic()
            self.assertEqual(raw.packet()[1][0], 0x8D)
            self.assertGreaterEqual(time.monotonic() - began, 1.4)
            self.assertIsNone(raw.packet())

    def test_no_connect_in_time(self):
        node = TroupeNode(
            {
                "listen.mqtt": "127.0.0.1:0",
                "listen.opening_timeout": "300ms",
                "mqtt.connect_timeout": "300ms",
            }
        )
        self.addCleanup(node.remove)
        node.start()
        steady = self.client(at=node.address("mqtt"))
        upgrade = (
            b"GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n"
            b"Sec-WebSocket-Protocol: mqtt\r\n\r\n"
        )
        late = 0
        for door, said in (
            ("mqtt", b""),
            ("mqtt", connect()[:5]),
            ("public", b""),
            ("public", connect()[:5]),
            ("public", upgrade),
        ):
            with self.subTest(door=door, said=said[:5]):
                with Raw(node.address(door)) as raw:
                    raw.send(said)
                    began = time.monotonic()
                    while raw.packet() is not None:
                        pass  # of an upgrade, its answer
                    self.assertLess(time.monotonic() - began, within(5))
                late += 1
                self.assertEqual(
                    node.metrics()[
                        'troupe_connections_refused_total'
                        '{reason="opening_timeout"}'
                    ],
                    late,
                )
        # A byte now and then buys no time.
        with Raw(node.address("mqtt")) as raw, self.assertRaises(OSError):
            for byte in connect(name="x" * 200):
                raw.send(bytes((byte,)))
                time.sleep(0.02)
        steady.publish("still/there", "x", qos=1)

    def test_a_node_that_stops_says_so(self):
        node = TroupeNode({"listen.mqtt": "127.0.0.1:0"})
        self.addCleanup(node.remove)
        node.start()
        now = self.client(at=node.address("mqtt"))
        with Raw(node.address("mqtt")) as old:
            old.send(connect(V311, "old"))
            old.packet()
            self.assertEqual(node.stop(), 0)
            self.assertEqual(now.end(), 0x8B)
            self.assertIsNone(old.packet())

    def test_behind_workers_it_has_ports_of_its_own(self):
        node = TroupeNode(
            {"listen.mqtt": "127.0.0.1:0"}, arguments=("--workers", "1")
        )
        self.addCleanup(node.remove)
        node.start()
        for version, code in ((V31, 3), (V311, 3), (V5, 0x88)):
            for websocket in (None, "/mqtt"):
                self.assertEqual(
                    self.refused(
                        at=node.address(), version=version, websocket=websocket
                    ),
                    code,
                )
        client = self.client(at=node.address("mqtt"))
        client.subscribe("a", qos=1)
        client.publish("a", "x", qos=1)
        self.assertEqual(client.next().payload, b"x")


if __name__ == "__main__":
    unittest.main()
