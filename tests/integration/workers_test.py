# SPDX-License-Identifier: Apache-2.0
"""A node with workers from outside: what clients see when the processes that
keep their connections are killed, stopped, or lose their agent.

What a node does without workers it does with them, too: the other tests of this
folder run a second time with TROUPE_TEST_WORKERS.

TROUPE_TEST_SEED repeats a run (as far as a seed can), TROUPE_TEST_KILLS sets
how many times half of the workers are killed under load.
"""

import asyncio
import os
import random
import signal
import time
import unittest
from pathlib import Path

from tests.integration.mq_case import MqCase, eventually, scheduling_lag
from tests.integration.mq_client import Transport
from tests.integration.promises import SEED, World
from tests.integration.troupe_node import TroupeNode

KILLS = int(os.environ.get("TROUPE_TEST_KILLS", "12"))
WORKERS = 4
# What the decision record promises.
REPLACED = 1.0
SILENCE = 3.5
ORPHANS = 4.0
# Who has accepted clients for so long has not failed.
STEADY = 2.0


def alive(pid):
    """Whether a process is there and more than a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def workers(node):
    return node.get_json("/workers")["workers"]


def pids(node):
    return {w["worker"]: w["pid"] for w in workers(node)}


def all_up(node):
    return all(w["state"] == "up" for w in workers(node))


def stop_process(pid):
    os.kill(pid, signal.SIGSTOP)
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[
        0
    ] not in "Tt":
        time.sleep(0.001)


def has_ended(pid):
    """Also if nobody has asked how."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


class WorkersCase(MqCase):
    """A node of its own for each test."""

    arguments = ("--workers", str(WORKERS))

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        self.node = TroupeNode(self.settings, arguments=self.arguments)
        self.addCleanup(self.node.remove)
        self.node.start()
        self.everybody = set()
        self.addCleanup(self.nobody_is_left)

    def nobody_is_left(self):
        if self.node.running():
            self.everybody |= set(pids(self.node).values()) - {None}
            self.assertEqual(self.node.stop(), 0, self.node.log())
        end = time.monotonic() + ORPHANS
        while left := {p for p in self.everybody if alive(p)}:
            self.assertLess(time.monotonic(), end, f"{left} are left")
            time.sleep(0.05)

    async def up(self):
        await eventually(lambda: all_up(self.node))
        found = await asyncio.to_thread(pids, self.node)
        self.everybody |= set(found.values())
        return found

    async def replaced(self, worker, pid, within):
        """Waits until another process serves in the place of `pid`; fails if
        that takes longer than `within`, scheduling aside."""
        begin = time.monotonic()
        async with scheduling_lag() as lag:
            while True:
                row = (await asyncio.to_thread(workers, self.node))[worker]
                if row["state"] == "up" and row["pid"] != pid:
                    break
                await asyncio.sleep(0.02)
        took = time.monotonic() - begin
        self.assertLess(took, within + 5 * lag.worst + 0.3)
        self.everybody.add(row["pid"])
        return row

    async def user_of(self, worker, stem="user"):
        """A user whose connection a certain worker keeps."""
        while True:
            client = await self.user(stem)
            if await self.worker_of(client) == worker:
                return client
            await client.close()

    async def worker_of(self, client):
        rows = await asyncio.to_thread(self.node.get_json, "/sessions")
        host, port = client.local_address()[:2]
        for row in rows["sessions"]:
            if row["address"] == f"{host}:{port}":
                return row["worker"]
        return None


class Supervision(WorkersCase):
    async def test_a_worker_that_is_killed_is_replaced_at_once(self):
        before = await self.up()
        for n, sign in enumerate((signal.SIGKILL, signal.SIGABRT)):
            os.kill(before[n], sign)
            row = await self.replaced(n, before[n], REPLACED)
            self.assertEqual(row["restarts"], 1)
            self.assertEqual(row["last_end"], f"signal {sign.value}")
        after = await self.up()
        self.assertEqual(after[2], before[2])
        self.assertEqual(after[3], before[3])
        metrics = await asyncio.to_thread(self.node.metrics)
        self.assertEqual(metrics['troupe_worker_restarts_total{worker="0"}'], 1)
        self.assertEqual(metrics['troupe_workers{state="up"}'], WORKERS)

    async def test_a_worker_that_hangs_is_killed_and_replaced(self):
        before = await self.up()
        victim = await self.user_of(2)
        others = [await self.user_of(w) for w in (0, 1, 3)]
        await asyncio.to_thread(stop_process, before[2])
        row = await self.replaced(2, before[2], SILENCE + REPLACED)
        self.assertIn("hung", row["last_end"])
        self.assertFalse(alive(before[2]))
        # Nobody else has noticed, and the device is free.
        await self.assert_next_is_marker(others[0], *others)
        fresh = await self.again(victim)
        await self.assert_next_is_marker(others[0], fresh)

    async def test_repeated_deaths_are_backed_off_and_a_life_resets(self):
        pid = (await self.up())[1]
        pauses = []
        while len(pauses) < 3:
            os.kill(pid, signal.SIGKILL)
            row = {"state": "up", "pid": pid}
            while row["state"] != "up" or row["pid"] == pid:
                if row["state"] == "backing_off" and row["retry_in_ms"]:
                    if not pauses or row["restarts"] != pauses[-1][0]:
                        pauses.append((row["restarts"], row["retry_in_ms"]))
                row = (await asyncio.to_thread(workers, self.node))[1]
            pid = row["pid"]
            seen_up = time.monotonic()
            self.everybody.add(pid)
        self.assertGreater(pauses[-1][1], pauses[0][1])
        self.assertIn("a worker ended; it starts again in", self.node.log())
        # The others are not slowed down.
        first = (await self.up())[0]
        os.kill(first, signal.SIGKILL)
        await self.replaced(0, first, REPLACED)
        # Who has lived for a while starts again at once.
        await eventually(lambda: time.monotonic() - seen_up > STEADY)
        os.kill(pid, signal.SIGKILL)
        await self.replaced(1, pid, REPLACED)

    async def test_a_killed_workers_devices_are_free_and_lose_nothing(self):
        before = await self.up()
        bob = await self.user_of(0, "bob")
        alice = await self.user_of(1, "alice")
        for n in range(5):
            self.assert_ok(await alice.post({bob.uid: 1}, b"%d" % n))
        self.assertEqual((await bob.take()).data, b"0")
        head = await bob.expect("deliver")  # not acknowledged
        os.kill(before[0], signal.SIGKILL)
        bob = await self.once_free(bob)
        again = await bob.take()
        self.assertEqual((again.data, again["id"]), (b"1", head["id"]))
        for n in range(2, 5):
            self.assertEqual((await bob.take()).data, b"%d" % n)
        await self.assert_next_is_marker(alice, bob, alice)

    async def test_terminated_worker_says_goodbye_and_is_replaced(self):
        before = await self.up()
        draft = await self.user_of(3)
        os.kill(before[3], signal.SIGTERM)
        self.assertEqual(await draft.read_to_end(), b"\x81\x00")
        draft.vanish()
        row = await self.replaced(3, before[3], REPLACED)
        self.assertEqual(row["last_end"], "exit code 0")


class Agent(WorkersCase):
    async def test_workers_go_when_their_agent_is_killed(self):
        processes = await self.up()
        draft = await self.user("draft")
        websocket = await self.user("ws", transport=Transport.WEBSOCKET)
        address = self.node.address()
        begin = time.monotonic()
        self.node._process.kill()
        # Clients are told, as by a node that stops.
        self.assertEqual(await draft.read_to_end(), b"\x81\x00")
        self.assertEqual(await websocket.expect_end(), 1001)
        await eventually(lambda: not any(map(alive, processes.values())))
        self.assertLess(time.monotonic() - begin, ORPHANS)
        await asyncio.to_thread(self.node.wait)
        # The port is free for the next one.
        self.node.settings["listen.public"] = "{}:{}".format(*address)
        await asyncio.to_thread(self.node.start)
        self.assertEqual(self.node.address(), address)
        await self.again(draft)

    async def test_workers_go_when_their_agent_hangs(self):
        processes = await self.up()
        websocket = await self.user("ws", transport=Transport.WEBSOCKET)
        await asyncio.to_thread(stop_process, self.node.pid)
        begin = time.monotonic()
        self.assertEqual(await websocket.expect_end(), 1001)
        self.assertLess(time.monotonic() - begin, SILENCE + 10)
        # Each of them waits by its own clock.
        await eventually(lambda: all(map(has_ended, processes.values())))
        self.node.signal(signal.SIGCONT)
        # It finds them gone and starts others.
        await eventually(
            lambda: all_up(self.node)
            and not set(pids(self.node).values()) & set(processes.values())
        )
        await self.again(websocket)

    async def test_short_pause_of_the_agent_accuses_nobody(self):
        processes = await self.up()
        clients = [await self.user_of(w) for w in range(WORKERS)]
        await asyncio.to_thread(stop_process, self.node.pid)
        # How long the agent does nothing: several beats are missing at either
        # end, but not so many as count.
        await asyncio.sleep(SILENCE / 2)
        self.node.signal(signal.SIGCONT)

        def taken():
            return [w["bytes_in"] for w in workers(self.node)]

        # Whoever was accused would be gone with the next beat: that is the
        # word that tells of bytes.
        for _ in range(2):
            before = await asyncio.to_thread(taken)
            for client in clients:
                await self.assert_next_is_marker(client, client)
            await eventually(
                lambda: all(
                    now > then
                    for now, then in zip(taken(), before, strict=True)
                )
            )
        self.assertEqual(await self.up(), processes)

    async def test_drain_tells_clients_and_leaves_nobody(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            await self.up()
            draft = await self.user("draft")
            websocket = await self.user("ws", transport=Transport.WEBSOCKET)
            self.node.signal(number)
            self.assertEqual(await draft.read_to_end(), b"\x81\x00")
            self.assertEqual(await websocket.expect_end(), 1001)
            self.assertEqual(await asyncio.to_thread(self.node.wait), 0)
            self.assertFalse(any(map(alive, self.everybody)))
            await asyncio.to_thread(self.node.start)

    async def test_signals_of_a_terminal_do_not_reach_the_workers(self):
        for pid in (await self.up()).values():
            self.assertEqual(os.getpgid(pid), pid)

    async def test_workers_are_told_no_secret(self):
        self.node.stop()
        os.environ["TROUPE_TEST_MARK"] = "seen"
        self.addCleanup(os.environ.pop, "TROUPE_TEST_MARK")
        await asyncio.to_thread(self.node.start)
        for pid in (await self.up()).values():
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            self.assertNotIn(b"TROUPE_", environment)
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
            self.assertTrue(arguments.startswith(b"troupe\0worker\0"))
            # The line, the public listener, and what it opened itself: nothing
            # of the data folder.
            held = {
                os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir()
            }
            self.assertFalse([f for f in held if str(self.node.data) in f])

    async def test_second_signal_leaves_nobody_either(self):
        await self.up()
        await self.user("witness")
        self.node.signal(signal.SIGTERM)
        self.node.signal(signal.SIGTERM)
        self.assertIn(await asyncio.to_thread(self.node.wait), (0, 130))
        await eventually(
            lambda: not any(map(alive, self.everybody)), ORPHANS
        )


class Limits(WorkersCase):
    settings = {"listen.connections_per_address_max": 6}

    async def test_connections_are_bounded_for_the_node_not_a_worker(self):
        await self.up()
        clients = [await self.user("user") for _ in range(6)]
        kept_by = {await self.worker_of(c) for c in clients}
        for _ in range(4):
            late = await self.connect()
            try:
                await late.send(
                    "register",
                    userId=self.name("late"),
                    newNode="n0",
                    aliases="",
                )
                self.assertEqual(await late.read_to_end(), b"")
            except ConnectionError:
                pass
        await eventually(
            lambda: self.node.metrics()[
                'troupe_connections_refused_total{reason="address_connections"}'
            ]
            == 4
        )
        # A death gives back what its connections took.
        worker = kept_by.pop()
        os.kill((await self.up())[worker], signal.SIGKILL)
        await eventually(
            lambda: len(self.node.get_json("/sessions")["sessions"]) < 6
        )
        await self.user("next")

    async def test_an_operator_ends_a_session_that_a_worker_keeps(self):
        await self.up()
        client = await self.user("kicked")
        rows = (await asyncio.to_thread(self.node.get_json, "/sessions"))[
            "sessions"
        ]
        number = next(r["id"] for r in rows if r.get("uid") == client.uid)
        path = f"/sessions/{number}"
        answer = await asyncio.to_thread(self.node.request, "DELETE", path)
        self.assertEqual(answer.status, 200, answer.body)
        await client.expect_quit()
        await eventually(
            lambda: self.node.request("DELETE", path).status == 404
        )

    async def test_sessions_and_metrics_tell_of_all_workers(self):
        await self.up()
        clients = [await self.user("user") for _ in range(5)]
        rows = (await asyncio.to_thread(self.node.get_json, "/sessions"))[
            "sessions"
        ]
        self.assertEqual({r["uid"] for r in rows}, {c.uid for c in clients})
        for row in rows:
            self.assertIn(row["worker"], range(WORKERS))
            self.assertEqual(row["protocol"], "mq")
            path = f"/actors/sessions/{row['id']}"
            state = await asyncio.to_thread(self.node.get_json, path)
            self.assertTrue(state["state"]["logged_in"])

        def counted():
            found = workers(self.node)
            metrics = self.node.metrics()
            return (
                sum(w["connections"] for w in found) == 5
                and sum(w["bytes_in"] for w in found) > 0
                and metrics["troupe_connections_accepted_total"] >= 5
            )

        await eventually(counted)
        # What a dead worker has counted stays counted.
        before = (await asyncio.to_thread(self.node.metrics))[
            "troupe_connections_accepted_total"
        ]
        for pid in (await self.up()).values():
            os.kill(pid, signal.SIGKILL)
        await eventually(lambda: self.node.metrics()["troupe_sessions"] == 0)
        after = await asyncio.to_thread(self.node.metrics)
        self.assertGreaterEqual(
            after["troupe_connections_accepted_total"], before
        )


class WorkersWorld(World):
    """Clients of a node whose workers are killed."""

    def __init__(self, node):
        super().__init__(node.address)
        self.last_kill = 0

    def vanished(self, client):
        return self.last_kill > client.since

    def refused(self, what):
        # A client may be back before its old connection is known to be gone.
        if "already active" in what:
            self.ledger.refused += 1
        else:
            super().refused(what)


class UnderLoad(WorkersCase):
    async def kill_half(self, world):
        chance = random.Random(SEED)
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.3, 1.5))
            found = await self.up()
            half = chance.sample(sorted(found.values()), WORKERS // 2)
            world.last_kill = time.monotonic()
            for pid in half:
                os.kill(pid, signal.SIGKILL)
            if chance.random() < 0.3:  # and some of the new ones
                await asyncio.sleep(chance.uniform(0.0, 0.1))
                for pid in (await asyncio.to_thread(pids, self.node)).values():
                    if pid and pid not in found.values():
                        world.last_kill = time.monotonic()
                        self.kill_if_there(pid)

    @staticmethod
    def kill_if_there(pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    async def roll(self, world):
        """One after the other, politely."""
        for _ in range(2):
            for worker in range(WORKERS):
                await asyncio.sleep(0.3)
                pid = (await self.up())[worker]
                world.last_kill = time.monotonic()
                os.kill(pid, signal.SIGTERM)
                await self.replaced(worker, pid, 2 * REPLACED)

    async def live(self, trouble):
        print(f"\nseed {SEED}, {KILLS} kills")
        world = WorkersWorld(self.node)
        await world.populate()
        missing = await world.live_through(lambda: trouble(world))
        print(world.summary())
        self.assertEqual(world.ledger.broken[:10], [], f"seed {SEED}")
        self.assertEqual(missing, [], f"seed {SEED}")
        self.assertGreater(len(world.ledger.promised), 0)

    async def test_nothing_is_lost_when_half_of_the_workers_are_killed(self):
        await self.live(self.kill_half)

    async def test_nothing_is_lost_in_a_rolling_restart(self):
        await self.live(self.roll)


if __name__ == "__main__":
    unittest.main()
