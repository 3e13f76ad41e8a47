# SPDX-License-Identifier: Apache-2.0
"""What the door of /msgbus/ refuses, whom it cuts, and what it bounds."""

import os
import resource
import threading
import time
import unittest

from tests.integration.msgbus_case import OK, MsgbusCase
from tests.integration.msgbus_client import (
    Wire,
    basic,
    get,
    masked,
    post,
    publish,
    subscribe,
    until,
)
from tests.integration.troupe_node import TroupeNode, within


def setUpModule():
    # Sockets of thousands of clients; the node inherits it.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 20_000), most))


class PasswordTest(MsgbusCase):
    settings = {"msgbus.password": "s3cret"}

    def test_mb10_401_for_everything(self):
        wanted = (
            b"HTTP/1.1 401 Unauthorized\r\nServer: msgbus\r\n"
            b'WWW-Authenticate: Basic realm="msgbus"\r\nDate: D\r\n'
            b"Content-Length: 21\r\n"
            b"Content-Type: text/html; charset=ISO-8859-1\r\n\r\n"
        )
        kind = "Content-Type: text/plain\r\n"
        for data in (
            get("/"),
            get("/msgbus/foo"),
            get("/msgbus/foo", basic("alice", "wrong")),
            get("/msgbus/foo", "Authorization: Bearer s3cret\r\n"),
            post("/msgbus/foo", "x"),
            post("/msgbus/foo", "x", kind + basic("alice", "")),
        ):
            head, body = self.ask(data)
            self.assertEqual(masked(head), wanted)
            self.assertEqual(body, b"<h1>Unauthorized</h1>")
        self.assertGreaterEqual(
            self.metric(
                'troupe_msgbus_refused_total{reason="unauthorized"}'
            ),
            6,
        )

    def test_mb10_the_password_alone_counts(self):
        for user in ("alice", ""):
            wire = self.listen("/msgbus/foo", basic(user, "s3cret"))
            status = publish(
                self.at,
                "/msgbus/foo",
                "x",
                basic(user, "s3cret").replace("Basic", "bAsIc")
                + "Content-Type: text/plain\r\n",
            )
            self.assertEqual(status, OK)
            data = wire.chunk()
            self.assertEqual(data.startswith(b"From: alice\n"), user == "alice")
        head, body = self.ask(get("/none", basic("", "s3cret")))
        self.assertTrue(head.startswith(b"HTTP/1.1 404 "))


class SlowTest(MsgbusCase):
    settings = {"msgbus.write_stall": "3s"}

    def test_mb12_who_does_not_read_is_dropped_then_cut(self):
        lazy = self.listen("/msgbus/slow", receive_buffer=4096)
        other = self.listen("/msgbus/slow")
        size, count = 100_000, 300  # 30 MB
        got = []

        def read():
            for _ in range(count):
                got.append(len(other.chunk()))

        reader = threading.Thread(target=read)
        reader.start()
        highest = 0
        with Wire(self.at) as wire:
            for i in range(count):
                wire.send(post("/msgbus/slow", b"x" * size))
                self.assertTrue(wire.head().startswith(OK))
                if i % 20 == 0:
                    waiting = self.node.get_json("/sessions")
                    rows = waiting["sessions"]
                    highest = max(
                        # An agent does not know it of its workers' clients.
                        [highest] + [r.get("output_waiting", 0) for r in rows]
                    )
        reader.join(30)
        self.assertEqual(len(got), count)
        if "TROUPE_TEST_WORKERS" not in os.environ:
            self.assertGreater(highest, 0)
        # What is written for one may be queued for another just then.
        self.assertLessEqual(highest, 1_000_000 + size + 200)
        dropped = 'troupe_msgbus_dropped_total{reason="backlog"}'
        until(lambda: self.metric(dropped) > 200, "not dropped", 20)
        self.assertIn("dropping", self.node.log())
        until(lambda: "UNSUB" in self.node.log(), "not cut", 20)
        rest = lazy.rest()
        self.assertLess(len(rest), size * count / 2)
        self.assertEqual(publish(self.at, "/msgbus/slow", "x"), OK)


class GoneTest(MsgbusCase):
    def subscribers(self):
        return self.metric("troupe_msgbus_subscribers")

    def test_mb14_a_close_is_noticed_at_once(self):
        for version in ("1.1", "1.0"):
            wire = self.listen("/msgbus/gone", version=version)
            until(lambda: self.subscribers() == 1, "not there")
            wire.close()
            begun = time.monotonic()
            until(lambda: self.subscribers() == 0, "still there")
            self.assertLess(time.monotonic() - begun, within(1.2))

    def test_who_ends_his_side_is_served_for_a_while(self):
        wire = self.listen("/msgbus/half")
        wire.end_sending()
        publish(self.at, "/msgbus/half", "late")
        self.assertIn(b"\n\nlate--", wire.chunk())
        self.assertIsNone(wire.chunk())

    def test_a_node_stops_with_subscribers(self):
        node = TroupeNode({"listen.msgbus": "127.0.0.1:0"})
        self.addCleanup(node.remove)
        node.start()
        wires = [subscribe(node.address("msgbus"), "/msgbus/a") for _ in "abc"]
        self.assertEqual(node.stop(), 0, node.log())
        for wire in wires:
            self.assertIsNone(wire.chunk())
            wire.close()


class RefusalTest(MsgbusCase):
    settings = {"listen.connections_max": 3000}

    def test_two_lengths_are_no_request(self):
        kind = "Content-Type: text/plain\r\n"
        heads = (
            "Content-Length: 3\r\nContent-Length: 5\r\n",
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding : chunked\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: 3, 3\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 0x3\r\n",
            "Content-Length: \r\n",
            "Content-Length: 99999999999999999999\r\n",
            "X: a\nContent-Length: 3\r\n",
            "X: a\rContent-Length: 3\r\n",
            " folded: x\r\nContent-Length: 3\r\n",
            "Content-Length: 3\r\nHost: other\r\n",
        )
        wire = self.listen("/msgbus/")
        for head in heads:
            with self.subTest(head=head):
                with Wire(self.at) as other:
                    other.send(
                        f"POST /msgbus/smuggled HTTP/1.1\r\nHost: h\r\n{kind}"
                        f"{head}\r\n0\r\n\r\n"
                        "POST /msgbus/second HTTP/1.1\r\nHost: h\r\n"
                        f"{kind}Content-Length: 1\r\n\r\nx"
                    )
                    answers = other.rest()
                self.assertRegex(answers, rb"^HTTP/1\.1 (4|5)\d\d ")
                self.assertEqual(answers.count(b"HTTP/1."), 1, answers)
        self.assertTrue(wire.silent())

    def test_junk_is_400(self):
        for junk in ("GET\r\n\r\n", "GET /msgbus/a\x01b HTTP/1.1\r\n\r\n",
                     "GET /msgbus/a b HTTP/1.1\r\nHost: h\r\n\r\n",
                     "P\x00ST / HTTP/1.1\r\n\r\n", "GET /msgbus/a HTTP/2.0\r\nHost: h\r\n\r\n"):
            with Wire(self.at) as wire:
                wire.send(junk)
                self.assertRegex(wire.rest(), rb"^HTTP/1\.1 (400|505) ", junk)

    def test_bounds_of_a_request(self):
        head, _ = self.ask(get("/msgbus/" + "a" * 5000))
        self.assertTrue(head.startswith(b"HTTP/1.1 414 "), head)
        head, _ = self.ask(post("/msgbus/" + "/" * 500, "x"))
        self.assertTrue(head.startswith(b"HTTP/1.1 414 "), head)
        head, _ = self.ask(get("/msgbus/" + "a" * 20_000))
        self.assertTrue(head.startswith(b"HTTP/1.1 431 "), head)
        head, _ = self.ask(
            post("/msgbus/a", "x", "Content-Type: " + "a" * 2000 + "\r\n")
        )
        self.assertTrue(head.startswith(b"HTTP/1.1 400 "), head)
        head, _ = self.ask(
            "POST /msgbus/a HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\n"
            "Content-Length: 99999999\r\n\r\n"
        )
        self.assertTrue(head.startswith(b"HTTP/1.1 413 "), head)

    def test_many_that_never_finish_are_bounded_and_let_others_work(self):
        memory = self.node.private_bytes()
        wires = []
        for i in range(2000):
            wire = Wire(self.at)
            self.addCleanup(wire.close)
            wires.append(wire)
            if i % 2:
                wire.send("POST /msgbus/a HTTP/1.1\r\nHost: h\r\nX: ")
            else:
                wire.send(
                    "POST /msgbus/a HTTP/1.1\r\nHost: h\r\n"
                    "Content-Type: a/b\r\nContent-Length: 20000000\r\n\r\nx"
                )
        self.assertEqual(publish(self.at, "/msgbus/b", "x"), OK)
        self.assertLess(self.node.private_bytes() - memory, 400 << 20)
        # A byte now and then does not help: the head has a time of its own.
        slow = wires[1]
        end = time.monotonic() + 25
        try:
            while time.monotonic() < end:
                slow.send("y")
                time.sleep(0.5)
        except ConnectionError:
            pass
        self.assertLess(time.monotonic(), end, "a slow head was never refused")


if __name__ == "__main__":
    unittest.main()
