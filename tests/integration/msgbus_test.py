# SPDX-License-Identifier: Apache-2.0
"""Channels at /msgbus/ from outside: the bytes clients of old know, on one
node and on several. Names of tests begin with the row they stand for."""

import os
import re
import subprocess
import threading
import unittest

from tests.integration.cluster_harness import Cluster
from tests.integration.msgbus_case import OK, MsgbusCase
from tests.integration.msgbus_client import (
    BOUNDARY,
    Wire,
    basic,
    get,
    masked,
    post,
    publish,
    subscribe,
    until,
)

MULTIPART = (
    b"Server: msgbus\r\n"
    b"Content-Type: multipart/x-mixed-replace;boundary=00MsgBus00\r\n"
)


class BytesTest(MsgbusCase):
    def test_mb04_publish_answers(self):
        date = b"Server: msgbus\r\nDate: D\r\n"
        with Wire(self.at) as wire:
            for _ in range(2):  # kept open
                wire.send(post("/msgbus/foo", "hello"))
                self.assertEqual(
                    masked(wire.head()),
                    OK + b"\r\n" + date + b"Content-Length: 0\r\n\r\n",
                )
        with Wire(self.at) as wire:
            wire.send(post("/msgbus/foo", "hello", version="1.0"))
            self.assertEqual(
                masked(wire.head()),
                b"HTTP/1.0 204 OK\r\nServer: msgbus\r\n\r\n",
            )
            self.assertEqual(wire.rest(), b"")
        kind = "Content-Type: text/plain\r\n"
        with Wire(self.at) as wire:
            for _ in range(2):
                wire.send(
                    post(
                        "/msgbus/foo",
                        "hello",
                        kind + "Connection: keep-alive\r\n",
                        "1.0",
                    )
                )
                self.assertEqual(
                    wire.head(),
                    b"HTTP/1.0 204 OK\r\nServer: msgbus\r\n"
                    b"Connection: keep-alive\r\nContent-Length: 0\r\n\r\n",
                )
        with Wire(self.at) as wire:
            wire.send(
                post("/msgbus/foo", "x", kind + "Connection: close\r\n")
            )
            head = wire.head()
            self.assertTrue(head.startswith(OK), head)
            self.assertIn(b"Connection: close\r\n", head)
            self.assertEqual(wire.rest(), b"")

    def test_mb04_streams_of_both_versions(self):
        with Wire(self.at) as wire:
            wire.send(get("/msgbus/bytes"))
            self.assertEqual(
                masked(wire.head()),
                b"HTTP/1.1 200 OK\r\n"
                + MULTIPART
                + b"Transfer-Encoding: chunked\r\nDate: D\r\n\r\n",
            )
            self.assertEqual(wire.exactly(18), b"d\r\n--00MsgBus00\n\r\n")
            publish(self.at, "/msgbus/bytes", "hello")
            part = b"Content-Type: text/plain\n\nhello--00MsgBus00\n"
            self.assertEqual(
                wire.exactly(len(part) + 6), b"2c\r\n" + part + b"\r\n"
            )
        with Wire(self.at) as wire:  # MB-06
            wire.send(get("/msgbus/bytes", "Connection: keep-alive\r\n", "1.0"))
            self.assertEqual(
                wire.head(), b"HTTP/1.0 200 OK\r\n" + MULTIPART + b"\r\n"
            )
            self.assertEqual(wire.exactly(len(BOUNDARY)), BOUNDARY)
            publish(self.at, "/msgbus/bytes", "hello")
            part = (
                b"Content-Type: text/plain\nContent-Length: 5\n\n"
                b"hello--00MsgBus00\n"
            )
            self.assertEqual(wire.exactly(len(part)), part)

    def test_mb04_root_and_users(self):
        root = self.listen("/msgbus/")
        old_root = self.listen("/msgbus/", version="1.0")
        named = self.listen("/msgbus/users")
        user = basic("dugsong", "any")
        publish(self.at, "/msgbus/users", "hi", user + "Content-Type: text/plain\r\n")
        self.assertEqual(
            named.exactly(61),
            b"37\r\nFrom: dugsong\nContent-Type: text/plain\n\n"
            b"hi--00MsgBus00\n\r\n",
        )
        self.assertEqual(
            root.chunk(),
            b"From: dugsong\nContent-Location: /msgbus/users\n"
            b"Content-Type: text/plain\n\nhi--00MsgBus00\n",
        )
        self.assertEqual(
            old_root.until(BOUNDARY),
            b"From: dugsong\nContent-Location: /msgbus/users\n"
            b"Content-Type: text/plain\nContent-Length: 2\n\nhi--00MsgBus00\n",
        )

    def test_root_publication_comes_once(self):
        root = self.listen("/msgbus/")
        named = self.listen("/msgbus/x")
        publish(self.at, "/msgbus/", "to all")
        self.assertEqual(
            root.chunk(),
            b"Content-Location: /msgbus/\nContent-Type: text/plain\n\n"
            b"to all--00MsgBus00\n",
        )
        self.assertTrue(root.silent())
        self.assertTrue(named.silent(0.01))

    def test_mb05_a_chunk_a_message_under_load(self):
        wires = [self.listen("/msgbus/load") for _ in range(3)]
        count = 300

        def flood(name):
            with Wire(self.at) as wire:
                for i in range(count):
                    wire.send(
                        post(
                            "/msgbus/load",
                            f"{name} {i}",
                            basic(name, "x") + "Content-Type: text/plain\r\n",
                        )
                    )
                    assert wire.head().startswith(OK)

        writers = [
            threading.Thread(target=flood, args=(name,)) for name in "abc"
        ]
        for each in writers:
            each.start()
        form = re.compile(
            rb"From: (\w)\nContent-Type: text/plain\n\n"
            rb"(\w) (\d+)--00MsgBus00\n"
        )
        for wire in wires:
            seen = {b"a": 0, b"b": 0, b"c": 0}
            for _ in range(3 * count):
                data = wire.chunk()
                found = form.fullmatch(data)
                self.assertIsNotNone(found, data)
                self.assertEqual(found[1], found[2])
                self.assertEqual(int(found[3]), seen[found[1]])
                seen[found[1]] += 1
        for each in writers:
            each.join()

    def test_mb15_many_subscribers_get_every_message(self):
        wires = [self.listen("/msgbus/many") for _ in range(400)]
        count = 50
        with Wire(self.at) as wire:
            for i in range(count):
                wire.send(post("/msgbus/many", f"{i}"))
                self.assertTrue(wire.head().startswith(OK))
        for wire in wires:
            for i in range(count):
                self.assertEqual(
                    wire.chunk(),
                    b"Content-Type: text/plain\n\n%d--00MsgBus00\n" % i,
                )
            wire.close()

    def test_mb20_a_large_body_is_one_chunk(self):
        wire = self.listen("/msgbus/large")
        body = os.urandom(1_500_000)
        self.assertEqual(publish(self.at, "/msgbus/large", body), OK)
        self.assertEqual(
            wire.chunk(),
            b"Content-Type: text/plain\n\n" + body + b"--00MsgBus00\n",
        )

    def test_mb08_what_is_a_message(self):
        wire = self.listen("/msgbus/forms?type=*&sender=*")
        for data in (
            post("/msgbus/forms?type=none", ""),
            b"POST /msgbus/forms HTTP/1.1\r\nHost: h\r\n"
            b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        ):
            self.assertTrue(self.ask(data)[0].startswith(OK))
        self.assertEqual(
            wire.chunk(), b"Content-Type: text/plain\n\n--00MsgBus00\n"
        )
        self.assertEqual(
            wire.chunk(), b"Content-Type: text/plain\n\nabcde--00MsgBus00\n"
        )
        with Wire(self.at) as other:
            other.send(post("/msgbus/forms", "x", ""))
            head, _ = other.answer()
            self.assertTrue(head.startswith(b"HTTP/1.1 400 "), head)
            self.assertIn(b"Connection: close\r\n", head)
            self.assertEqual(other.rest(), b"")
        for method in ("PUT", "DELETE", "OPTIONS", "PATCH"):
            head, body = self.ask(f"{method} /msgbus/x HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertTrue(
                head.startswith(b"HTTP/1.1 501 Not Implemented\r\n"), head
            )
            self.assertEqual(body, b"<h1>Not Implemented</h1>")
        with Wire(self.at) as other:
            other.send("HEAD /msgbus/x HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assertTrue(other.head().startswith(b"HTTP/1.1 501 "))
            self.assertTrue(other.silent(0.1))
        self.assertTrue(wire.silent(0.05))

    def test_the_client_may_wait_for_100(self):
        with Wire(self.at) as wire:
            wire.send(
                "POST /msgbus/foo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n"
                "Content-Type: text/plain\r\nExpect: 100-continue\r\n\r\n"
            )
            self.assertEqual(wire.head(), b"HTTP/1.1 100 Continue\r\n\r\n")
            wire.send("ok")
            self.assertTrue(wire.head().startswith(OK))

    def test_channels_are_their_bytes(self):
        for channel in (
            "a%20b",
            "a+b/#",
            "*",
            "//x//",
            "$SYS/x",
            "\xff\xfe",
            "foo/bar",
            "../up",
            "A",
            "a?",
        ):
            with self.subTest(channel=channel):
                name = channel.rstrip("?")
                wire = self.listen(f"/msgbus/{channel}")
                root = self.listen("/msgbus/")
                self.assertEqual(
                    publish(self.at, f"/msgbus/{name}", "it"), OK
                )
                self.assertEqual(
                    root.chunk().split(b"\n")[0],
                    b"Content-Location: /msgbus/" + name.encode("latin-1"),
                )
                self.assertIn(b"\n\nit--", wire.chunk())
                wire.close()
                root.close()
        wire = self.listen("/msgbus/foo")
        for other in ("foo/bar", "Foo", "fo", "foo/", "%66oo", "+", "#", "fo*"):
            publish(self.at, f"/msgbus/{other}", "not for foo")
        self.assertTrue(wire.silent())

    def test_mb09_only_the_basic_user_is_the_sender(self):
        wire = self.listen("/msgbus/from")
        fields = (
            "From: mallory\r\nContent-Location: /msgbus/x\r\n"
            "Expires: Thu, 01 Dec 2033 16:00:00 GMT\r\n"
            "Content-Type: text/plain; charset=UTF-8\r\n"
        )
        publish(self.at, "/msgbus/from", "one", fields)
        self.assertEqual(
            wire.chunk(),
            b"Content-Type: text/plain; charset=UTF-8\n\none--00MsgBus00\n",
        )
        evil = basic("eve\r\nX-Evil=1\n\nx", "")
        publish(
            self.at, "/msgbus/from", "two", evil + "Content-Type: text/plain\r\n"
        )
        self.assertEqual(
            wire.chunk(),
            b"From: eveX-Evil=1x\nContent-Type: text/plain\n\n"
            b"two--00MsgBus00\n",
        )

    def test_curl_sees_both(self):
        url = "http://%s:%d/msgbus/curl" % self.at
        for option in ("-0", "--http1.1"):
            reader = subprocess.Popen(
                ["curl", "-s", "-N", "-i", "-m", "20", option, url],
                stdout=subprocess.PIPE,
            )
            while reader.stdout.readline().strip() != b"--00MsgBus00":
                pass
            done = subprocess.run(
                ["curl", "-s", "-i", "-H", "Content-Type: text/plain"]
                + ["-d", "hello", "-u", "alice:x", url],
                capture_output=True,
                timeout=20,
            )
            self.assertTrue(done.stdout.startswith(OK), done.stdout)
            lines = [reader.stdout.readline()]
            while b"hello" not in lines[-1]:
                lines.append(reader.stdout.readline())
            length = [b"Content-Length: 5\n"] if option == "-0" else []
            self.assertEqual(
                lines,
                [b"From: alice\n", b"Content-Type: text/plain\n", *length]
                + [b"\n", b"hello--00MsgBus00\n"],
            )
            reader.kill()
            reader.wait()
            reader.stdout.close()

    def test_the_public_port_serves_the_same(self):
        public = self.node.address()
        wire = self.listen("/msgbus/both")
        self.assertEqual(publish(public, "/msgbus/both", "x"), OK)
        self.assertIn(b"\n\nx--", wire.chunk())
        head, _ = self.ask(get("/msgbus"), public)
        self.assertTrue(head.startswith(b"HTTP/1.1 404 "), head)
        head, body = self.ask(get("/msgbus"))
        self.assertTrue(head.startswith(b"HTTP/1.1 404 Not Found\r\nServer: msgbus\r\n"))
        self.assertEqual(body, b"<h1>Not Found</h1>")
        head, _ = self.ask(get("/mq"), public)
        self.assertTrue(head.startswith(b"HTTP/1.1 426 "), head)

    def test_it_counts_and_tells(self):
        before = self.node.metrics()
        wire = self.listen("/msgbus/told?type=text/*&sender=al*")
        name = "troupe_msgbus_"
        until(
            lambda: self.metric(name + "subscribers")
            > before[name + "subscribers"],
            "not counted",
        )
        publish(
            self.at,
            "/msgbus/told",
            "x",
            basic("alice", "") + "Content-Type: text/plain\r\n",
        )
        wire.chunk()
        publish(self.at, "/msgbus/told", "x", "Content-Type: image/png\r\n")
        wire.close()
        address = r"127\.0\.0\.1:\d+ "
        until(
            lambda: re.search(
                rf"UNSUB {address}\(\?\): told al\* text/\*", self.node.log()
            ),
            "no UNSUB",
        )
        log = self.node.log()
        self.assertRegex(log, rf" SUB {address}\(\?\): told al\* text/\*")
        self.assertRegex(
            log, rf"PUB {address}\(alice\): told text/plain \(1\)"
        )
        after = self.node.metrics()
        for key, least in (
            ("publishes_total", 2),
            ("published_bytes_total", 2),
            ("subscriptions_total", 1),
            ("deliveries_total", 1),
            ("filtered_total", 1),
        ):
            self.assertGreaterEqual(
                after[name + key] - before[name + key], least, key
            )


class ClusterTest(unittest.TestCase):
    def test_mb17_once_and_in_order_on_every_node(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        cluster.found(["n2", "n3"])
        cluster.settled([1, 2, 3])
        ports = [n.address() for n in cluster.nodes.values()]
        wires = []
        for at in ports:
            for target in ("/msgbus/far/away", "/msgbus/"):
                wires.append(subscribe(at, target))
                self.addCleanup(wires[-1].close)

        def known():
            rows = cluster.nodes["n1"].get_json("/interest")["filters"]
            held = {r["filter"]: set(r["nodes"]) for r in rows}
            return held.get("far/away") == {2, 3} and held.get("#") == {2, 3}

        until(known, "n1 does not know who listens", 60)
        with Wire(ports[0]) as wire:
            for i in range(200):
                wire.send(post("/msgbus/far/away", f"{i}"))
                self.assertTrue(wire.head().startswith(OK))
        for wire in wires:
            for i in range(200):
                self.assertTrue(
                    wire.chunk().endswith(b"\n\n%d--00MsgBus00\n" % i)
                )
            self.assertTrue(wire.silent(0.05))


if __name__ == "__main__":
    unittest.main()
