# SPDX-License-Identifier: Apache-2.0
"""Clients that mean harm: ten thousand half requests, bytes that drip, requests
that two servers would read in two ways, headers inside of headers. They are
bounded, refused and counted; who behaves is served meanwhile."""

import resource
import selectors
import socket
import subprocess
import time
import unittest

from tests.integration.msgbus_case import OK, MsgbusCase
from tests.integration.msgbus_client import (
    Wire,
    basic,
    get,
    post,
    publish,
    until,
)
from tests.integration.troupe_node import MEMORY_IS_COMPARABLE, within
from tests.integration.zenconn_client import ZenconnClient

REFUSED = 'troupe_connections_refused_total{reason="%s"}'
HALVES = 10_000


def setUpModule():
    # Sockets of ten thousand clients, here and in the node, which inherits it.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < HALVES + 2000:
        raise unittest.SkipTest(f"a process may open {most} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (HALVES + 2000, most))


class Crowd:
    """Clients of addresses in 127.0.0.0/8 that send, and note what they get."""

    def __init__(self):
        self._selector = selectors.DefaultSelector()
        self.heard = {}  # of those that are there
        self.ended = []  # what each heard until it was closed

    def close(self):
        for client in list(self.heard):
            self._forget(client)
        self._selector.close()

    def connect(self, to, source, data):
        client = socket.socket()
        client.bind((source, 0))
        client.connect(to)
        self.heard[client] = b""
        self._selector.register(client, selectors.EVENT_READ)
        return self.send(client, data) and client

    def send(self, client, data):
        try:
            client.sendall(data)
            return True
        except ConnectionError:
            self._end(client)
            return False

    def listen(self, seconds):
        """For what comes within that time."""
        for key, _ in self._selector.select(seconds):
            try:
                data = key.fileobj.recv(4096)
            except ConnectionError:
                data = b""
            if data:
                self.heard[key.fileobj] += data
            else:
                self._end(key.fileobj)

    def _end(self, client):
        self.ended.append(self.heard[client])
        self._forget(client)

    def _forget(self, client):
        del self.heard[client]
        self._selector.unregister(client)
        client.close()

    def until_all_ended(self, deadline=60):
        end = time.monotonic() + deadline
        while self.heard:
            self.listen(0.1)
            if time.monotonic() > end:
                raise AssertionError(f"{len(self.heard)} are served for ever")


class HostileCase(MsgbusCase):
    def setUp(self):
        self.public = self.node.address("public")
        self.crowd = Crowd()
        self.addCleanup(self.crowd.close)

    def refused(self, reason):
        return int(self.metric(REFUSED % reason))

    def until_refused(self, reason, count):
        """So many, and no more."""
        until(lambda: self.refused(reason) >= count, f"no {count} {reason}")
        self.assertEqual(self.refused(reason), count)

    def good_client(self):
        """What somebody who behaves sees, and in what time."""
        begun = time.monotonic()
        host, port = self.public
        url = f"http://{host}:{port}/msgbus/good"
        with Wire(self.public) as wire:
            wire.send(get("/msgbus/good"))
            self.assertIn(b" 200 OK\r\n", wire.head())
            wire.chunk()
            sent = subprocess.run(
                ["curl", "-sS", "--noproxy", "*", "-o", "/dev/null",
                 "-w", "%{http_code}", "-H", "Content-Type: text/plain",
                 "-d", "well", url],
                capture_output=True, text=True, timeout=within(6),
            )
            self.assertEqual((sent.stdout, sent.stderr), ("204", ""))
            self.assertIn(b"\n\nwell--", wire.chunk())
        with ZenconnClient.connect(self.public) as client:
            client.send_raw(b"ping")
            self.assertEqual(client.message(), (1, b"ping"))
            client.close()
        self.assertLess(time.monotonic() - begun, within(2))


class HalfRequests(HostileCase):
    settings = {
        "listen.connections_per_address_max": "200",
        "listen.opening_timeout": "15s",
        "ws.header_timeout": "15s",
        "ws.body_timeout": "15s",
    }
    FROM_ONE = 200
    STARTS = (
        b"GET /msgbus/a HTTP/1.1\r\nHost: h\r\nX: ",
        b"POST /msgbus/a HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Up",
        b"POST /msgbus/a HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\n"
        b"Content-Length: 20000000\r\n\r\nx",
        b"GET /msg",
        b"PO",
        b"",  # not yet a protocol
    )
    UNDECIDED = 1  # of them, the last

    def flood(self):
        for i in range(HALVES):
            source = f"127.1.{i // self.FROM_ONE}.1"
            self.crowd.connect(
                self.public, source, self.STARTS[i % len(self.STARTS)]
            )

    def test_ten_thousand_are_bounded_and_end_with_an_answer(self):
        self.good_client()
        memory = self.node.private_bytes()
        before = self.refused("request_timeout"), self.refused("opening_timeout")
        accepted = self.metric("troupe_connections_accepted_total")
        self.flood()
        # Workers say twice a second what they have counted.
        until(
            lambda: self.metric("troupe_connections_accepted_total") - accepted
            >= HALVES,
            "not all are accepted",
        )
        # One more from an address that has its part is closed at once.
        over = self.refused("address_connections")
        self.assertFalse(self.welcome(f"127.1.{HALVES // self.FROM_ONE - 1}.1"))
        self.until_refused("address_connections", over + 1)
        self.good_client()
        # All at once, but for those whose time is up on a slow machine.
        held = self.metric("troupe_connections")
        timed_out = (
            self.refused("request_timeout") - before[0]
            + self.refused("opening_timeout") - before[1]
        )
        self.assertGreaterEqual(held + timed_out, HALVES)
        grown = self.node.private_bytes() - memory
        print(f"\n{held:.0f} held in {grown / HALVES:.0f} bytes each")
        if MEMORY_IS_COMPARABLE:
            self.assertLess(grown / HALVES, 8192, "bytes a half request")
        self.good_client()
        self.crowd.until_all_ended()
        # Whoever began a request hears why; who said nothing hears nothing.
        answers = [head.split(b"\r\n")[0] for head in self.crowd.ended]
        late = answers.count(b"HTTP/1.1 408 Request Timeout")
        silent = answers.count(b"")
        self.assertEqual(late + silent, HALVES, set(answers))
        undecided = sum(
            i % len(self.STARTS) >= len(self.STARTS) - self.UNDECIDED
            for i in range(HALVES)
        )
        self.assertEqual(silent, undecided)
        self.until_refused("request_timeout", before[0] + late)
        self.until_refused("opening_timeout", before[1] + silent)
        until(
            lambda: self.metric("troupe_connections") < 10, "some are still open"
        )
        self.good_client()

    def test_whose_connections_end_may_come_again(self):
        source = "127.2.0.1"
        for _ in range(self.FROM_ONE):
            self.crowd.connect(self.public, source, b"GET /msg")
        until(
            lambda: self.metric("troupe_connections") >= self.FROM_ONE,
            "not accepted",
        )
        self.assertFalse(self.welcome(source))
        self.crowd.close()
        until(lambda: self.welcome(source), "the address is shut out for ever")

    def welcome(self, source):
        with socket.socket() as client:
            client.settimeout(30)
            client.bind((source, 0))
            client.connect(self.public)
            try:
                # Not a page that is not there: a worker knows that alone.
                client.sendall(post("/msgbus/welcome", "x"))
                return client.recv(12) == b"HTTP/1.1 204"
            except ConnectionError:
                return False


class SlowLoris(HostileCase):
    settings = {
        "listen.opening_timeout": "2s",
        "ws.header_timeout": "2s",
        "ws.body_timeout": "2s",
        "mq.login_timeout": "2s",
    }
    HEAD = b"GET /msgbus/a HTTP/1.1\r\nHost: " + b"x" * 3000
    BODY = (
        b"POST /msgbus/a HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\n",
        b"Content-Length: 4000\r\n\r\n" + b"x" * 3000,
    )
    CHUNKS = (
        b"POST /msgbus/a HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1000,
    )
    EMPTY_LINES = b"\r\n" * 3000
    FRAME = b"\x85\x7f\x00\x00\x00\x00\x00\x00\x10\x00" + b"x" * 3000

    def test_a_byte_now_and_then_buys_no_time(self):
        streams = (
            (b"", self.HEAD),
            self.BODY,
            self.CHUNKS,
            (b"", self.EMPTY_LINES),
            (b"", self.FRAME),
        )
        begun = time.monotonic()
        dripping = {}
        for i in range(400):
            start, rest = streams[i % len(streams)]
            source = f"127.3.0.{i % 50 + 1}"
            if client := self.crowd.connect(self.public, source, start):
                dripping[client] = iter(rest)
        before = self.refused("request_timeout")
        self.good_client()
        while dripping and time.monotonic() - begun < within(10):
            for client, rest in list(dripping.items()):
                if client not in self.crowd.heard or not self.crowd.send(
                    client, bytes((next(rest),))
                ):
                    del dripping[client]
            self.crowd.listen(0.05)
        self.assertFalse(self.crowd.heard, "somebody bought time")
        self.good_client()
        until(
            lambda: self.refused("request_timeout") - before >= 240,
            "not counted",
        )
        # Their last byte may cross the answer and take it with it.
        answers = [head.split(b"\r\n")[0] for head in self.crowd.ended]
        self.assertIn(b"HTTP/1.1 408 Request Timeout", answers)
        self.assertFalse([a for a in answers if b" 20" in a], answers)


class Smuggling(HostileCase):
    """What follows a request that can be understood in two ways is never taken
    for a request, and nothing of a header reaches another one's."""

    def assert_one_refusal(self, data):
        with Wire(self.at) as wire:
            wire.send(data)
            answers = wire.rest()
        self.assertRegex(answers, rb"^HTTP/1\.1 (4|5)\d\d ")
        self.assertEqual(answers.count(b"HTTP/1."), 1, answers)
        self.assertIn(b"\r\nConnection: close\r\n", answers)

    def test_chunks_of_two_meanings(self):
        root = self.listen("/msgbus/")
        second = (
            b"POST /msgbus/second HTTP/1.1\r\nHost: h\r\n"
            b"Content-Type: a/b\r\nContent-Length: 1\r\n\r\nx"
        )
        for body in (
            b"0x1\r\nx\r\n0\r\n\r\n",
            b"+1\r\nx\r\n0\r\n\r\n",
            b"-1\r\nx\r\n0\r\n\r\n",
            b" 1\r\nx\r\n0\r\n\r\n",
            b"1_0\r\nx\r\n0\r\n\r\n",
            b"\r\nx\r\n0\r\n\r\n",
            b"g\r\nx\r\n0\r\n\r\n",
            b"1\nx\n0\n\n",
            b"1\r\nx0\r\n\r\n",
            b"1\r\nxy\r\n0\r\n\r\n",
            b"1\r\nx\n\n0\r\n\r\n",
            b"1\rx\r\n0\r\n\r\n",
            b"1;a\nb\r\nx\r\n0\r\n\r\n",
            b"10000000000000001\r\nx\r\n0\r\n\r\n",
            b"ffffffffffffffff\r\nx\r\n0\r\n\r\n",
            b"0\r\nX\r\n\r\n",
            b"0\r\n X: folded\r\n\r\n",
        ):
            with self.subTest(body=body):
                self.assert_one_refusal(
                    b"POST /msgbus/first HTTP/1.1\r\nHost: h\r\n"
                    b"Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + body + second
                )
        self.assertTrue(root.silent())

    def test_trailers_are_no_headers(self):
        root = self.listen("/msgbus/")
        with Wire(self.at) as wire:
            wire.send(
                b"POST /msgbus/first HTTP/1.1\r\nHost: h\r\n"
                b"Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"1;ext=1\r\nx\r\n0\r\n"
                b"Content-Type: evil/x\r\nHost: other\r\n"
                b"Connection: close\r\nAuthorization: Basic ZXZlOng=\r\n\r\n"
                + post("/msgbus/second", "y")
            )
            for name in (b"first", b"second"):
                self.assertTrue(wire.answer()[0].startswith(OK))
        self.assertEqual(
            root.chunk(),
            b"Content-Location: /msgbus/first\nContent-Type: a/b\n\n"
            b"x--00MsgBus00\n",
        )
        self.assertIn(b"/msgbus/second\n", root.chunk())
        for trailer in (b"Content-Length: 60", b"Transfer-Encoding: chunked"):
            with self.subTest(trailer=trailer):
                self.assert_one_refusal(
                    b"POST /msgbus/first HTTP/1.1\r\nHost: h\r\n"
                    b"Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"1\r\nx\r\n0\r\n" + trailer + b"\r\n\r\n"
                    + post("/msgbus/second", "y")
                )
        self.assertTrue(root.silent())

    def test_a_body_that_looks_like_a_request_is_a_body(self):
        root = self.listen("/msgbus/")
        inner = post("/msgbus/inner", "z")
        with Wire(self.at) as wire:
            wire.send(post("/msgbus/outer", inner) + post("/msgbus/last", "y"))
            for _ in range(2):
                self.assertTrue(wire.answer()[0].startswith(OK))
        self.assertIn(b"/msgbus/outer\n", root.chunk())
        self.assertIn(b"/msgbus/last\n", root.chunk())
        # GET with one, too: none of it is the next request.
        with Wire(self.at) as wire:
            wire.send(
                f"GET /nothing HTTP/1.1\r\nHost: h\r\n"
                f"Content-Length: {len(inner)}\r\n\r\n".encode()
                + inner + get("/nothing", "Connection: close\r\n").encode()
            )
            self.assertEqual(wire.rest().count(b"HTTP/1.1 404 "), 2)
        self.assertTrue(root.silent())

    def test_an_upgrade_takes_no_second_request_with_it(self):
        root = self.listen("/msgbus/")
        with Wire(self.public) as wire:
            wire.send(
                "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            wire.send(post("/msgbus/second", "x"))
            self.assertIn(b" 101 ", wire.head())
            self.assertNotIn(b"HTTP/1.", wire.rest())
        # Refused, it is not one: the next request is a request.
        with Wire(self.public) as wire:
            wire.send(
                "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                + get("/nothing", "Connection: close\r\n")
            )
            answers = wire.rest()
        self.assertEqual(answers.count(b"HTTP/1.1 426 "), 1)
        self.assertEqual(answers.count(b"HTTP/1.1 404 "), 1)
        self.assertTrue(root.silent())

    def test_no_line_comes_out_of_a_header_or_a_channel(self):
        root = self.listen("/msgbus/")
        for field in (
            "Content-Type: a/b\rX-Evil: 1\r\n",
            "Content-Type: a/b\nX-Evil: 1\r\n",
            "Content-Type: a/b\0X-Evil: 1\r\n",
            "Content-Type: a/b\r\n\tX-Evil: 1\r\n",
            "Content-Type: a/b\x0bX-Evil: 1\r\n",
            "Content-Type: a/b\x7f\r\n",
            "Content-Type: a/b\r\nContent-Type: evil/x\r\n",
        ):
            with self.subTest(field=field), Wire(self.at) as wire:
                wire.send(post("/msgbus/injected", "x", field))
                answers = wire.rest()
                self.assertRegex(answers, rb"^HTTP/1\.1 400 ")
                self.assertEqual(answers.count(b"HTTP/1."), 1)
        for channel in ("a\rb", "a\nb", "a\0b", "a\tb", "a\x0bb", "a\x7fb"):
            with self.subTest(channel=channel), Wire(self.at) as wire:
                wire.send(post(f"/msgbus/{channel}", "x"))
                self.assertRegex(wire.rest(), rb"^HTTP/1\.1 400 ")
        self.assertTrue(root.silent())
        # What is spelled stays spelled; a name has no lines.
        kind = "Content-Type: a/b\r\n"
        for channel, user, seen in (
            ("a%0d%0aX-Evil:1", "", b"Content-Location: /msgbus/a%0d%0aX-Evil:1"),
            ("b", basic("eve\r\nX-Evil=1", "x"), b"From: eveX-Evil=1"),
            ("c", basic("eve\nX-Evil=1", "x"), b"From: eveX-Evil=1"),
        ):
            self.assertEqual(
                publish(self.at, f"/msgbus/{channel}", "x", user + kind), OK
            )
            lines = root.chunk().split(b"\n\n")[0].split(b"\n")
            self.assertIn(seen, lines)
            self.assertFalse([x for x in lines if x.startswith(b"X-Evil")])


if __name__ == "__main__":
    unittest.main()
