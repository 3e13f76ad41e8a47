# SPDX-License-Identifier: Apache-2.0
"""What channels at /msgbus/ have beyond the original: events, long poll,
history."""

import json
import re
import unittest

from tests.integration.cluster_harness import Cluster
from tests.integration.msgbus_client import (
    Wire,
    basic,
    get,
    masked,
    publish,
    subscribe,
    until,
)
from tests.integration.troupe_node import TroupeNode

EVENTS = "Accept: text/event-stream\r\n"


def parsed(chunk):
    """Fields of an event; data lines are joined."""
    fields = {}
    assert chunk.endswith(b"\n\n"), chunk
    for line in chunk.decode()[:-2].split("\n"):
        key, _, value = line.partition(": ")
        fields[key] = fields[key] + "\n" + value if key in fields else value
    return fields


class EventsCase(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode({"msgbus.heart_beat": "1s"} | cls.settings)
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()
        cls.at = cls.node.address()

    def events(self, target, fields=""):
        wire = subscribe(self.at, target, EVENTS + fields)
        self.addCleanup(wire.close)
        self.assertEqual(wire.chunk(), b":\n\n")
        return wire

    def event(self, wire):
        while (chunk := wire.chunk()) == b":\n\n":
            pass
        return parsed(chunk)


class EventsTest(EventsCase):
    def test_the_head(self):
        with Wire(self.at) as wire:
            wire.send(get("/msgbus/a", "Accept: text/event-stream;q=1, */*\r\n"))
            self.assertEqual(
                masked(wire.head()),
                b"HTTP/1.1 200 OK\r\nServer: msgbus\r\n"
                b"Content-Type: text/event-stream\r\n"
                b"Cache-Control: no-store\r\n"
                b"Transfer-Encoding: chunked\r\nDate: D\r\n\r\n",
            )

    def test_lines_and_ids(self):
        wire = self.events("/msgbus/lines")
        for body in ("one\ntwo", "", "three"):
            publish(self.at, "/msgbus/lines", body)
        found = [self.event(wire) for _ in range(3)]
        self.assertEqual(
            [(e["event"], e["data"]) for e in found],
            [("message", "one\ntwo"), ("message", ""), ("message", "three")],
        )
        numbers = [tuple(map(int, e["id"].split("-"))) for e in found]
        self.assertEqual(numbers, sorted(set(numbers)))

    def test_bytes_are_base64(self):
        wire = self.events("/msgbus/bytes")
        publish(self.at, "/msgbus/bytes", b"\xff\x00")
        self.assertEqual(
            {k: v for k, v in self.event(wire).items() if k != "id"},
            {"event": "base64", "data": "/wA="},
        )

    def test_json_and_filters(self):
        wire = self.events("/msgbus/?format=json&type=text/*")
        publish(self.at, "/msgbus/j/x", "no", "Content-Type: image/png\r\n")
        publish(
            self.at,
            "/msgbus/j/x",
            "a\r\nb",
            basic("alice", "") + "Content-Type: text/plain\r\n",
        )
        found = self.event(wire)
        body = json.loads(found["data"])
        self.assertEqual(body.pop("id"), found["id"])
        self.assertEqual(
            body,
            {
                "channel": "j/x",
                "sender": "alice",
                "type": "text/plain",
                "data": "a\r\nb",
            },
        )

    def test_a_quiet_stream_has_a_heart_beat(self):
        wire = self.events("/msgbus/quiet")
        self.assertEqual(wire.chunk(), b":\n\n")
        self.assertEqual(wire.chunk(), b":\n\n")

    def test_http_1_0_gets_them_without_chunks(self):
        with Wire(self.at) as wire:
            wire.send(get("/msgbus/old", EVENTS, "1.0"))
            self.assertTrue(wire.head().startswith(b"HTTP/1.0 200 OK\r\n"))
            self.assertEqual(wire.exactly(3), b":\n\n")
            publish(self.at, "/msgbus/old", "x")
            self.assertRegex(
                wire.until(b"x\n\n"), rb"^(:\n\n)*id: \S+\nevent: message\ndata: x\n\n$"
            )


class PollTest(EventsCase):
    settings = {"msgbus.poll_time": "1s"}

    def poll(self, target):
        wire = Wire(self.at)
        self.addCleanup(wire.close)
        wire.send(get(target))
        return wire

    def test_a_poll_gets_one_message(self):
        name = "troupe_topic_subscriptions"
        others = self.node.metrics()[name]
        wire = self.poll("/msgbus/poll?poll=1")
        until(lambda: self.node.metrics()[name] > others, "nobody listens")
        publish(
            self.at,
            "/msgbus/poll",
            "hello",
            basic("alice", "") + "Content-Type: text/html\r\n",
        )
        head, body = wire.answer()
        self.assertEqual(body, b"hello")
        self.assertRegex(
            masked(head),
            rb"^HTTP/1\.1 200 OK\r\nServer: msgbus\r\nFrom: alice\r\n"
            rb"Content-Type: text/html\r\nContent-Length: 5\r\n"
            rb"Cache-Control: no-store\r\nX-Msgbus-Id: \d+-\d+\r\n"
            rb"Date: D\r\nConnection: close\r\n\r\n$",
        )
        self.assertEqual(wire.rest(), b"")
        until(lambda: self.node.metrics()[name] == others, "still listens")

    def test_a_poll_ends_with_nothing(self):
        answer = self.poll("/msgbus/none?poll=1").rest()
        self.assertTrue(answer.startswith(b"HTTP/1.1 204 No Content\r\n"))


class HistoryTest(EventsCase):
    settings = {"msgbus.history_messages": 50, "msgbus.poll_time": "2s"}

    def bodies(self, wire, count):
        return [self.event(wire)["data"] for _ in range(count)]

    def test_since_goes_on_without_gap_or_double(self):
        for i in range(60):
            publish(self.at, "/msgbus/past", str(i))
        publish(self.at, "/msgbus/other", "other")
        wire = self.events("/msgbus/past?since=0")
        found = [self.event(wire) for _ in range(50)]
        self.assertEqual([e["data"] for e in found], [str(i) for i in range(10, 60)])
        again = self.events("/msgbus/past", f"Last-Event-ID: {found[-3]['id']}\r\n")
        publish(self.at, "/msgbus/past", "live")
        self.assertEqual(self.bodies(again, 3), ["58", "59", "live"])
        self.assertEqual(self.bodies(wire, 1), ["live"])

    def test_parts_and_polls_look_back_too(self):
        publish(self.at, "/msgbus/parts", "kept")
        with subscribe(self.at, "/msgbus/parts?since=0") as wire:
            self.assertEqual(
                wire.chunk(),
                b"Content-Type: text/plain\n\nkept--00MsgBus00\n",
            )
        with Wire(self.at) as wire:
            wire.send(get("/msgbus/parts?poll=1&since=0"))
            head, body = wire.answer()
            self.assertEqual(body, b"kept")
            mark = re.search(rb"X-Msgbus-Id: (\S+)", head)[1].decode()
        publish(self.at, "/msgbus/parts", "next")
        with Wire(self.at) as wire:
            wire.send(get(f"/msgbus/parts?poll=1&since={mark}"))
            self.assertEqual(wire.answer()[1], b"next")

    def test_what_is_no_id_counts_for_nothing(self):
        publish(self.at, "/msgbus/odd", "before")
        wire = self.events("/msgbus/odd?since=yesterday")
        publish(self.at, "/msgbus/odd", "after")
        self.assertEqual(self.bodies(wire, 1), ["after"])


class ClusterHistoryTest(unittest.TestCase):
    def test_a_node_keeps_what_others_publish(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        first = cluster.node("n1").start()
        second = cluster.node(
            "n2", join=[first], msgbus__history_messages=10
        ).start()
        cluster.settled([1, 2])

        def known():
            rows = first.get_json("/interest")["filters"]
            return any(r["filter"] == "#" and 2 in r["nodes"] for r in rows)

        until(known, "n1 does not know that n2 keeps a history", 60)
        publish(first.address(), "/msgbus/far", "kept")

        def replayed():
            at = second.address()
            with subscribe(at, "/msgbus/far?since=0") as wire:
                if wire.silent(0.2):
                    return None
                return wire.chunk()

        self.assertEqual(
            until(replayed, "n2 has nothing"),
            b"Content-Type: text/plain\n\nkept--00MsgBus00\n",
        )


if __name__ == "__main__":
    unittest.main()
