# SPDX-License-Identifier: Apache-2.0
"""MQTT's sessions that outlive their connections, from outside."""

import struct
import time
import unittest

from tests.integration.cluster_harness import Cluster, until
from tests.integration.mqtt_client import (
    V5,
    V311,
    Client,
    Mosquitto,
    Raw,
    Refused,
    connect,
    packet,
    text,
)
from tests.integration.rights_test import Rights
from tests.integration.troupe_node import TroupeNode

HOUR = 3600
SETTINGS = {"listen.mqtt": "127.0.0.1:0"}


class SessionCase(unittest.TestCase):
    """Words for all."""

    def client(self, at, name, version=V5, clean=False, expiry=HOUR, **options):
        if version == V5 and expiry:
            options["SessionExpiryInterval"] = expiry
        made = Client(at, version, name, clean=clean, **options)
        self.addCleanup(made.drop)
        return made

    def come_back(self, at, name):
        """As clients do: while nobody leads its session, a client is told that
        the server is unavailable, and tries again."""

        def connected():
            try:
                return self.client(at, name)
            except Refused as e:
                if e.code != 0x88:
                    raise
                return None

        return until(connected, f"{name} can't come back")

    def payloads(self, client, count):
        return [p.decode() for p in client.payloads(count)]

    def present(self, client):
        return client.flags["session present"] == 1


class NodeCase(SessionCase):
    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode(SETTINGS)
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()

    @property
    def at(self):
        return self.node.address("mqtt")

    def wait_until_left(self, name):
        """What is published before the node knows that the client is gone may
        have been sent to it."""

        def has_left():
            rows = self.node.get_json("/mqtt/sessions?scope=kept&limit=1000")
            return any(
                row["client"] == name and not row["connected"]
                for row in rows["sessions"]
            )

        until(has_left, f"{name} is still there")


class Sessions(NodeCase):
    def test_what_waited_comes(self):
        for version in (V311, V5):
            with self.subTest(version=version):
                name = f"waits-{version}"
                one = self.client(self.at, name, version)
                self.assertFalse(self.present(one))
                one.subscribe((f"{name}/+", 2))
                one.close()
                self.wait_until_left(name)
                other = self.client(self.at, "other", clean=True, expiry=0)
                # First, so that it is over when the others are answered.
                other.publish(f"{name}/0", "not kept", 0)
                # A client shows what has QoS 2 when it is released.
                for qos in (1, 1, 2):
                    other.publish(f"{name}/{qos}", f"{qos}", qos)
                two = self.client(self.at, name, version)
                self.assertTrue(self.present(two))
                messages = [two.next() for _ in range(3)]
                self.assertEqual([m.payload for m in messages],
                                 [b"1", b"1", b"2"])
                self.assertEqual([m.qos for m in messages], [1, 1, 2])
                self.assertFalse(any(m.dup for m in messages))
                # The subscription is there, for all of it.
                other.publish(f"{name}/0", "live", 0)
                self.assertEqual(two.next().payload, b"live")
                two.close()

    def test_a_clean_start_has_nothing(self):
        one = self.client(self.at, "clean")
        one.subscribe(("clean", 1))
        one.close()
        other = self.client(self.at, "other2", clean=True, expiry=0)
        other.publish("clean", "x", 1)
        for expiry in (HOUR, 0):
            two = self.client(self.at, "clean", clean=True, expiry=expiry)
            self.assertFalse(self.present(two))
            two.close()
        three = self.client(self.at, "clean")
        self.assertFalse(self.present(three))
        other.publish("clean", "y", 1)
        three.subscribe(("clean", 1))
        other.publish("clean", "z", 1)
        self.assertEqual(three.next().payload, b"z")

    def test_what_was_unsubscribed_does_not_wait(self):
        one = self.client(self.at, "un")
        one.subscribe(("un/a", 1), ("un/b", 1))
        one.unsubscribe("un/a")
        one.close()
        other = self.client(self.at, "other3", clean=True, expiry=0)
        other.publish("un/a", "a", 1)
        other.publish("un/b", "b", 1)
        two = self.client(self.at, "un")
        self.assertEqual(two.next().payload, b"b")

    def test_expires(self):
        one = self.client(self.at, "brief", expiry=1)
        one.subscribe(("brief", 1))
        one.close()

        def gone():
            again = self.client(self.at, "brief", expiry=1)
            present = self.present(again)
            if not present:
                return True
            again.close()
            time.sleep(1.5)
            return False

        until(gone, "the session stays")

    def test_takes_over(self):
        for clean, expiry in ((True, 0), (False, HOUR)):
            one = self.client(self.at, "twice", clean=clean, expiry=expiry)
            two = self.client(self.at, "twice", clean=clean, expiry=expiry)
            self.assertEqual(one.end(), 0x8E)
            two.close()

    def test_message_expiry_goes_on_while_it_waits(self):
        one = self.client(self.at, "aging")
        one.subscribe(("aging", 1))
        one.close()
        other = self.client(self.at, "other4", clean=True, expiry=0)
        other.publish("aging", "short", 1, MessageExpiryInterval=1)
        other.publish("aging", "long", 1, MessageExpiryInterval=100)
        time.sleep(2)  # the time is what is tested
        two = self.client(self.at, "aging")
        message = two.next()
        self.assertEqual(message.payload, b"long")
        self.assertLess(message.properties.MessageExpiryInterval, 100)
        self.assertGreater(message.properties.MessageExpiryInterval, 50)

    def test_a_will_waits_for_its_delay(self):
        watcher = self.client(self.at, "watcher", clean=True, expiry=0)
        watcher.subscribe(("will/+", 1))
        raw = Raw(self.at)
        self.addCleanup(raw.close)
        # Clean start 0, a will of QoS 1 after a second, an expiry of an hour.
        body = (
            text("MQTT") + bytes([5, 0x0C]) + struct.pack(">H", 0)
            + b"\x05\x11" + struct.pack(">I", HOUR)
            + text("mortal")
            + b"\x05\x18" + struct.pack(">I", 1)
            + text("will/mortal") + text("bye")
        )
        raw.send(packet(0x10, body))
        self.assertEqual(raw.packet()[0], 0x20)
        begun = time.monotonic()
        raw.close()
        message = watcher.next()
        self.assertEqual((message.topic, message.payload),
                         ("will/mortal", b"bye"))
        self.assertGreaterEqual(time.monotonic() - begun, 0.9)

    def test_shares_with_sessions(self):
        one = self.client(self.at, "share-1")
        two = self.client(self.at, "share-2")
        for each in (one, two):
            each.subscribe(("$share/s/shared", 1))
            each.close()
        other = self.client(self.at, "other5", clean=True, expiry=0)
        for i in range(10):
            other.publish("shared", str(i), 1)
        got = []
        for name in ("share-1", "share-2"):
            again = self.client(self.at, name)
            got.append(set(self.payloads(again, 5)))
        self.assertEqual(len(got[0] | got[1]), 10)

    def test_mosquittos_wait(self):
        programs = Mosquitto(self.at)
        begins = self.client(self.at, "mosq", V311)
        begins.subscribe(("mosq/#", 1))
        begins.close()
        for i in range(3):
            done = programs.pub("-t", "mosq/a", "-q", "1", "-m", str(i))
            self.assertEqual(done.returncode, 0, done.stderr)
        got = programs.take("-i", "mosq", "-c", "-t", "mosq/#", "-q", "1",
                            "-F", "%p", count=3)
        self.assertEqual(got, ["0", "1", "2"])

    def test_connack_tells_the_truth(self):
        client = self.client(self.at, "truth", expiry=0xFFFFFFFF)
        self.assertFalse(hasattr(client.welcome, "SessionExpiryInterval"))

    def test_another_user_does_not_get_it(self):
        rights = Rights(self.node)

        def come(uid):
            token = rights.post("tokens", {"uid": uid}, status=201)["token"]
            return self.client(self.at, "owned", user=uid, password=token)

        come("anna").close()
        with self.assertRaises(Refused) as refused:
            come("bob")
        self.assertEqual(refused.exception.code, 0x85)
        come("anna").close()

    def test_an_operator_sees_it_and_ends_it(self):
        one = self.client(self.at, "seen", user=None)
        one.subscribe(("seen", 1))
        one.close()
        other = self.client(self.at, "other6", clean=True, expiry=0)
        other.publish("seen", "x", 1)
        path = "/mqtt/sessions?scope=kept&limit=1&after=seem"
        until(lambda: not self.node.get_json(path)["sessions"][0]["connected"],
              "it is not closed")
        page = self.node.get_json(path)
        row = page["sessions"][0]
        self.assertEqual((row["client"], row["queued"]), ("seen", 1))
        self.assertEqual(page["next"], "seen")
        path = "/mqtt/sessions?client=seen"
        self.assertEqual(self.node.request("DELETE", path).status, 200)
        self.assertEqual(self.node.request("DELETE", path).status, 404)
        self.assertFalse(self.present(self.client(self.at, "seen")))


class PacketIds(NodeCase):
    """Raw packets: what goes again, under which id."""

    def open(self, name, clean=False):
        raw = Raw(self.at)
        self.addCleanup(raw.close)
        raw.send(connect(V311, name, flags=2 if clean else 0))
        first, body = raw.packet()
        self.assertEqual((first, body[1]), (0x20, 0))
        return raw, body[0]

    def subscribe(self, raw, topic, qos):
        raw.send(packet(0x82, b"\0\1" + text(topic) + bytes([qos])))
        self.assertEqual(raw.packet(), (0x90, b"\0\1" + bytes([qos])))

    def id_of(self, body):
        length = struct.unpack(">H", body[:2])[0]
        return struct.unpack(">H", body[2 + length:4 + length])[0]

    def test_a_message_comes_again_under_its_id(self):
        for qos in (1, 2):
            with self.subTest(qos=qos):
                name = f"again-{qos}"
                raw, _ = self.open(name)
                self.subscribe(raw, name, qos)
                other = self.client(self.at, "o", clean=True, expiry=0)
                other.publish(name, "x", 2)
                first, body = raw.packet()
                self.assertEqual(first, 0x30 | qos << 1)
                raw.close()
                raw, present = self.open(name)
                self.assertEqual(present, 1)
                again, body_again = raw.packet()
                self.assertEqual(again, 0x38 | qos << 1)  # DUP
                self.assertEqual(body_again, body)
                ident = struct.pack(">H", self.id_of(body))
                if qos == 1:
                    raw.send(packet(0x40, ident))
                else:
                    raw.send(packet(0x50, ident))
                    self.assertEqual(raw.packet(), (0x62, ident))
                    # Without PUBCOMP, the PUBREL comes again.
                    raw.close()
                    raw, present = self.open(name)
                    self.assertEqual(raw.packet(), (0x62, ident))
                    raw.send(packet(0x70, ident))
                other.publish(name, "y", 2)
                _, next_body = raw.packet()
                self.assertTrue(next_body.endswith(b"y"))
                raw.close()

    def test_qos_2_is_published_once(self):
        listener = self.client(self.at, "l", clean=True, expiry=0)
        listener.subscribe(("once", 2))
        keeper = self.client(self.at, "keeper")
        keeper.subscribe(("once", 2))
        raw, _ = self.open("once")
        publish = text("once") + b"\0\7x"
        raw.send(packet(0x34, publish))
        self.assertEqual(raw.packet(), (0x50, b"\0\7"))
        raw.close()
        raw, present = self.open("once")
        self.assertEqual(present, 1)
        raw.send(packet(0x3C, publish))  # DUP
        self.assertEqual(raw.packet(), (0x50, b"\0\7"))
        raw.send(packet(0x62, b"\0\7"))
        self.assertEqual(raw.packet(), (0x70, b"\0\7"))
        # The id is free for another message.
        raw.send(packet(0x34, text("once") + b"\0\7y"))
        self.assertEqual(raw.packet(), (0x50, b"\0\7"))
        for each in (listener, keeper):
            self.assertEqual(self.payloads(each, 2), ["x", "y"])


class Restarts(SessionCase):
    def test_nothing_is_lost_by_a_restart_or_a_kill(self):
        node = TroupeNode(SETTINGS)
        self.addCleanup(node.remove)
        node.start()
        one = self.client(node.address("mqtt"), "stays")
        one.subscribe(("a/#", 1))
        one.close()
        sent = []
        for end in (node.stop, node.kill):
            other = self.client(node.address("mqtt"), "o", clean=True, expiry=0)
            for _ in range(20):
                other.publish("a/b", str(len(sent)), 1 + len(sent) % 2)
                sent.append(str(len(sent)))
            other.drop()
            end()
            node.start()
        two = self.client(node.address("mqtt"), "stays")
        self.assertTrue(self.present(two))
        self.assertEqual(self.payloads(two, len(sent)), sent)


class InCluster(SessionCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.remove)
        cls.nodes = []
        first = cls.cluster.node("n1", **SETTINGS).start()
        cls.nodes.append(first)
        for name in ("n2", "n3"):
            cls.nodes.append(
                cls.cluster.node(name, join=[first], **SETTINGS).start()
            )
        cls.cluster.settled([1, 2, 3])

    def at(self, index):
        return self.nodes[index].address("mqtt")

    def test_a_session_moves(self):
        one = self.client(self.at(0), "moves")
        one.subscribe(("moves/#", 1))
        one.close()
        for turn in range(6):
            other = self.client(self.at((turn + 1) % 3), f"o{turn}", clean=True,
                                expiry=0)
            other.publish("moves/a", str(turn), 1)
            two = self.client(self.at((turn + 2) % 3), "moves")
            self.assertTrue(self.present(two))
            self.assertEqual(two.next().payload, str(turn).encode())
            two.close()
            other.close()

    def test_takes_over_between_nodes(self):
        for clean, expiry in ((True, 0), (False, HOUR)):
            before = self.client(self.at(0), "one", clean=clean, expiry=expiry)
            for index in (1, 2, 0):
                after = self.client(self.at(index), "one", clean=clean,
                                    expiry=expiry)
                self.assertEqual(before.end(), 0x8E)
                before = after
            before.close()

    def test_nothing_is_lost_by_the_kill_of_any_node(self):
        for victim in range(3):
            with self.subTest(victim=victim):
                name = f"kill-{victim}"
                away = self.client(self.at(victim), name)
                away.subscribe((name, 1))
                away.close()
                stays = self.client(self.at((victim + 1) % 3), name + "-stays")
                stays.subscribe((name, 2))
                other = self.client(self.at((victim + 2) % 3), name + "-o",
                                    clean=True, expiry=0)
                sent = []
                for _ in range(20):
                    other.publish(name, str(len(sent)), 1)
                    sent.append(str(len(sent)))
                self.nodes[victim].kill()
                for _ in range(20):
                    other.publish(name, str(len(sent)), 1)
                    sent.append(str(len(sent)))
                got = []
                while len(set(got)) < len(sent):
                    got.append(stays.next(60).payload.decode())
                self.assertEqual(list(dict.fromkeys(got)), sent)
                self.nodes[victim].start()
                self.cluster.settled([1, 2, 3])
                back = self.come_back(self.at(victim), name)
                self.assertTrue(self.present(back))
                self.assertEqual(self.payloads(back, len(sent)), sent)
                for each in (back, stays, other):
                    each.close()

    def test_the_clients_of_a_dead_node_are_freed(self):
        watcher = self.client(self.at(0), "w", clean=True, expiry=0)
        watcher.subscribe(("dead/+", 1))
        mortal = self.client(
            self.at(1), "mortal",
            will={"topic": "dead/mortal", "payload": "bye", "qos": 1},
        )
        mortal.paho.loop_stop()
        self.nodes[1].kill()
        self.assertEqual(watcher.next(30).payload, b"bye")
        self.nodes[1].start()
        self.cluster.settled([1, 2, 3])


if __name__ == "__main__":
    unittest.main()
