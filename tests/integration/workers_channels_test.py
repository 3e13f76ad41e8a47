# SPDX-License-Identifier: Apache-2.0
"""Channels of a node with workers from outside: clients whose connections are
in different processes meet, and the end of one process is the end of its
clients only. The other tests of channels run a second time with
TROUPE_TEST_WORKERS."""

import os
import signal
import time
import unittest

from tests.integration.cluster_harness import until
from tests.integration.msgbus_case import OK
from tests.integration.msgbus_client import (
    Wire,
    basic,
    get,
    post,
    publish,
    subscribe,
)
from tests.integration.session_commands_test import session
from tests.integration.troupe_node import TroupeNode
from tests.integration.workers_test import all_up, pids, workers
from tests.integration.zenconn_client import Closed, ZenconnClient
from tests.integration.zenconn_case import SECRET, live, records, rows

WORKERS = 2


def upgrade(target):
    return (
        f"GET {target} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )


class ChannelsCase(unittest.TestCase):
    settings = {
        "zenconn.secret": SECRET,
        "listen.msgbus": "127.0.0.1:0",
        "msgbus.history_messages": 100,
    }

    def setUp(self):
        self.node = TroupeNode(
            self.settings, arguments=("--workers", str(WORKERS))
        )
        self.addCleanup(self.node.remove)
        self.node.start()
        until(lambda: all_up(self.node), "all workers accept")
        self.at = self.node.address("public")

    def tearDown(self):
        if self.node.running():
            self.assertEqual(self.node.stop(), 0, self.node.log())

    def connect(self, **options):
        client = ZenconnClient.connect(self.at, **options)
        self.addCleanup(client.drop)
        return client

    def worker_of(self, client):
        found = rows(self.node, "/zenconn/sessions", "sessions")
        return next(r["worker"] for r in found if r["session"] == client.id)

    def one_of_each(self):
        """A client of ZenConn in each worker."""
        found = {}
        while len(found) < WORKERS:
            client = self.connect()
            found.setdefault(self.worker_of(client), client)
        return found

    def listen(self, target, **options):
        wire = subscribe(self.at, target, **options)
        self.addCleanup(wire.close)
        return wire

    def metric(self, name):
        return self.node.metrics()[name]

    def kill(self, worker):
        """Returns when another one serves in its place."""
        pid = pids(self.node)[worker]
        os.kill(pid, signal.SIGKILL)
        until(
            lambda: all_up(self.node) and pids(self.node)[worker] != pid,
            "another worker",
        )


class Channels(ChannelsCase):
    def test_who_listens_in_any_worker_gets_it_once_and_in_order(self):
        wires = [self.listen("/msgbus/a") for _ in range(12)]
        # By now both of them have some.
        until(
            lambda: all(w["connections"] for w in workers(self.node)),
            "clients in each worker",
        )
        for i in range(100):
            at = self.node.address("msgbus") if i % 2 else self.at
            self.assertEqual(publish(at, "/msgbus/a", str(i)), OK)
        for wire in wires:
            for i in range(100):
                self.assertTrue(
                    wire.chunk().endswith(b"\n\n%d--00MsgBus00\n" % i), i
                )
            self.assertTrue(wire.silent(0.05))
        self.assertEqual(self.metric("troupe_msgbus_subscribers"), 12)
        until(
            lambda: self.metric("troupe_msgbus_deliveries_total") == 1200,
            "the workers' counts",
        )
        for wire in wires:
            wire.close()
        until(
            lambda: self.metric("troupe_msgbus_subscribers") == 0,
            "the subscribers' end",
        )

    def test_all_doors_meet(self):
        guests = self.one_of_each()
        wire = self.listen("/msgbus/a")
        for guest in guests.values():
            guest.subscribe("a")
        self.assertEqual(publish(self.at, "/msgbus/a", "hi"), OK)
        for guest in guests.values():
            self.assertEqual(guest.receive()["data"], "hi")
        self.assertIn(b"\n\nhi--", wire.chunk())
        said = guests[0].broadcast("a", {"x": 1})
        self.assertEqual(said["count"], WORKERS - 1)
        self.assertEqual(guests[1].receive()["data"], {"x": 1})
        self.assertIn(b'{"x": 1}--', wire.chunk())
        self.assertTrue(guests[0].silent(0.1))

    def test_what_is_asked_for_is_refused_as_ever(self):
        for request, status in (
            ("PUT /msgbus/a HTTP/1.1\r\nHost: x\r\n\r\n", b"501"),
            (
                "POST /msgbus/a HTTP/1.1\r\nHost: x\r\n"
                "Content-Length: 1\r\n\r\nx",
                b"400",
            ),
            (get("/msgbus/" + "x" * 5000), b"414"),
        ):
            with Wire(self.at) as wire:
                wire.send(request)
                self.assertIn(status, wire.answer()[0].split(b"\r\n")[0])

    def test_a_history_is_the_nodes(self):
        for i in range(20):
            self.assertEqual(publish(self.at, "/msgbus/h", str(i)), OK)
        for _ in range(6):
            wire = self.listen("/msgbus/h?since=0")
            for i in range(20):
                self.assertTrue(
                    wire.chunk().endswith(b"\n\n%d--00MsgBus00\n" % i), i
                )
        until(
            lambda: self.metric("troupe_msgbus_replayed_total") == 120,
            "the workers' counts",
        )

    def test_a_killed_workers_clients_have_left_and_others_stay(self):
        guests = self.one_of_each()
        more = [self.connect() for _ in range(6)]
        lost = [c for c in more if self.worker_of(c) == 0] + [guests[0]]
        kept = [c for c in more if self.worker_of(c) == 1] + [guests[1]]
        for client in [*kept, *lost]:
            client.subscribe("private.room", SECRET)
            client.subscribe("open")
        # Each hears of all who came after him.
        for client in kept:
            while not client.silent(0.2):
                pass
        before = time.monotonic()
        os.kill(pids(self.node)[0], signal.SIGKILL)
        gone = {c.id for c in lost}
        for client in kept:
            left = [client.receive()["data"] for _ in lost]
            self.assertEqual({e["event"] for e in left}, {"left"})
            self.assertEqual({e["session"] for e in left}, gone)
        self.assertLess(time.monotonic() - before, 5)
        until(lambda: not live(self.node) & gone, "their ends", deadline=2)


        def ended():
            ends = [r for r in records(self.node) if r["event"] == "closed"]
            return ends if gone <= {r["session"] for r in ends} else None

        # Each is written down a moment later.
        ends = until(ended, "the records of their ends")
        for row in ends:
            if row["session"] in gone:
                self.assertEqual(row["reason"], "the worker ended")
                self.assertEqual(row["worker"], 0)
        self.assertEqual(
            kept[0].broadcast("open", 1)["count"], len(kept) - 1
        )
        for client in kept[1:]:
            self.assertEqual(client.receive()["data"], 1)
        # Whoever comes next meets them.
        until(lambda: all_up(self.node), "another worker")
        fresh = self.connect()
        fresh.subscribe("open")
        self.assertEqual(kept[0].broadcast("open", 2)["count"], len(kept))

    def test_what_a_dead_worker_has_counted_stays_and_its_gauges_go(self):
        wires = [self.listen("/msgbus/a") for _ in range(8)]
        publish(self.at, "/msgbus/a", "x")
        for wire in wires:
            wire.chunk()
        until(
            lambda: self.metric("troupe_msgbus_deliveries_total") == 8,
            "the workers' counts",
        )
        for worker in range(WORKERS):
            self.kill(worker)
        until(
            lambda: self.metric("troupe_msgbus_subscribers") == 0,
            "the subscribers' end",
        )
        self.assertEqual(self.metric("troupe_msgbus_deliveries_total"), 8)

    def test_a_terminated_worker_says_goodbye(self):
        guests = self.one_of_each()
        os.kill(pids(self.node)[1], signal.SIGTERM)
        with self.assertRaises(Closed) as caught:
            guests[1].receive()
        self.assertEqual(caught.exception.code, 1001)
        self.assertEqual(guests[0].subscribe("a")["type"], "subscribed")

    def number_of(self, protocol, remote=None):
        """That `GET /sessions` has for a client."""

        def found():
            all_of_it = [
                row["id"]
                for row in self.node.get_json("/sessions")["sessions"]
                if row["protocol"] == protocol
                and remote in (None, row["address"])
            ]
            self.assertEqual(len(all_of_it), 1, all_of_it)
            return all_of_it[0]

        # The agent may not have heard yet what it speaks.
        return until(found, f"no {protocol}")

    def number_of_guest(self, client):
        found = rows(self.node, "/zenconn/sessions", "sessions")
        remote = next(r["remote"] for r in found if r["session"] == client.id)
        return self.number_of("zenconn", remote)

    def test_a_channel_shows_who_listens_in_workers(self):
        guests = self.one_of_each()
        for guest in guests.values():
            guest.subscribe("a")
        self.listen("/msgbus/a")
        wanted = {self.number_of_guest(g) for g in guests.values()}
        wanted.add(self.number_of("msgbus"))

        def shown():
            actor = self.node.get_json("/actors/channels/default/a")
            return {s["session"] for s in actor["state"]["sessions"]}

        until(lambda: shown() == wanted, "all who listen")
        self.assertEqual(publish(self.at, "/msgbus/a", "hi"), OK)
        until(
            lambda: self.node.get_json("/actors/channels/default/a")["state"][
                "counters"
            ]["delivered"]
            == len(wanted),
            "the channel's count",
        )
        gone = self.number_of_guest(guests[0])
        guests[0].drop()
        until(lambda: shown() == wanted - {gone}, "that one has left")

    def test_an_operator_ends_what_a_worker_keeps(self):
        guest, kept = self.one_of_each().values()
        wire = self.listen("/msgbus/a")
        for number in (self.number_of_guest(guest), self.number_of("msgbus")):
            path = f"/sessions/{number}"
            answer = self.node.request("DELETE", path)
            self.assertEqual(answer.status, 200, answer.body)
            until(
                lambda: self.node.request("DELETE", path).status == 404,
                "its end",
            )
        with self.assertRaises(Closed) as caught:
            guest.receive()
        self.assertEqual(caught.exception.code, 1008)
        wire.rest()
        # Nor has he to log in before.
        with Wire(self.at) as wire:
            wire.send(upgrade("/mq"))
            self.assertIn(b" 101 ", wire.head())
            number = self.number_of("mq-ws")
            done = session(self.node, "kick", str(number))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            wire.rest()
        # By his UUID, as the records have it.
        named = self.connect()
        done = session(self.node, "kick", named.id)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with self.assertRaises(Closed) as caught:
            named.receive()
        self.assertEqual(caught.exception.code, 1008)
        until(lambda: guest.id not in live(self.node), "the record of its end")
        ended = next(
            r
            for r in records(self.node)
            if r["event"] == "closed" and r["session"] == guest.id
        )
        self.assertEqual(ended["reason"], "ended by an operator")
        self.assertEqual(kept.subscribe("a")["type"], "subscribed")

    def test_two_windows_of_requests_are_answered_in_order(self):
        client, other = self.one_of_each().values()
        for each in (client, other):
            each.subscribe("w")
        for i in range(600):
            client.send(type="broadcast", channel="w", data=i)
        for i in range(600):
            self.assertEqual(client.receive()["count"], 1)
            self.assertEqual(other.receive()["data"], i)


class Secrets(ChannelsCase):
    settings = ChannelsCase.settings | {"msgbus.password": "the word"}

    def test_the_servers_password_is_asked_for_in_workers(self):
        with Wire(self.at) as wire:
            wire.send(get("/msgbus/a"))
            self.assertIn(b" 401 ", wire.answer()[0])
        with Wire(self.at) as wire:
            wire.send(
                post("/msgbus/a", "x", fields="Content-Type: text/plain\r\n" + basic("anna", "the word"))
            )
            self.assertTrue(wire.answer()[0].startswith(OK))


class Hurried(ChannelsCase):
    settings = ChannelsCase.settings | {
        "listen.opening_timeout": "500ms",
        "ws.header_timeout": "500ms",
        "ws.body_timeout": "500ms",
    }

    def refused(self, reason):
        return self.metric(
            f'troupe_connections_refused_total{{reason="{reason}"}}'
        )

    def test_who_does_not_come_to_the_point_is_cut_and_counted(self):
        head = "GET /msgbus/a HTTP/1.1\r\nHost: h\r\nX: "
        body = post("/msgbus/a", "x" * 100)[:-1]
        for _ in range(4):
            for data in ("", head, body):
                with Wire(self.at) as wire:
                    wire.send(data)
                    answer = wire.rest().split(b"\r\n")[0]
                self.assertEqual(
                    answer, b"HTTP/1.1 408 Request Timeout" if data else b""
                )
        until(
            lambda: self.refused("opening_timeout") == 4
            and self.refused("request_timeout") == 8,
            "the workers' counts",
        )
        # Who listens has all the time.
        wire = self.listen("/msgbus/a")
        guest = self.connect()
        self.assertTrue(wire.silent(1))
        self.assertEqual(guest.subscribe("a")["type"], "subscribed")


class SlowLine(ChannelsCase):
    def test_a_worker_that_stands_still_slows_nobody_else(self):
        guests = self.one_of_each()
        for guest in guests.values():
            guest.subscribe("s")
        pid = pids(self.node)[0]
        os.kill(pid, signal.SIGSTOP)
        try:
            data = "x" * 100_000
            begin = time.monotonic()
            for _ in range(20):
                guests[1].broadcast("s", data)
            self.assertLess(time.monotonic() - begin, 10)
        finally:
            os.kill(pid, signal.SIGCONT)


if __name__ == "__main__":
    unittest.main()
