# SPDX-License-Identifier: Apache-2.0
"""Strangers at the cluster port of a running cluster: garbage, greetings that
are half, slow, replayed or forged, other protocols, and the actor framework
itself without Troupe. Each is refused, counted and logged; the cluster goes on
with the link it had, and within its memory."""

import asyncio
import os
import random
import socket
import struct
import subprocess
import threading
import time
import unittest

from tests.integration.cluster_harness import DEADLINE, ClusterCase, until
from tests.integration.troupe_node import MEMORY_IS_COMPARABLE

SEED = int(os.environ.get("TROUPE_TEST_SEED", "20240117"))
MIB = 1 << 20
# A frame of a greeting: three letters, its type, the length of what follows.
HELLO, CHALLENGE, PROOF, ACCEPTED, REFUSAL = range(1, 6)


def frame(kind, payload, length=None):
    length = len(payload) if length is None else length
    return b"TRL" + struct.pack("<BI", kind, length) + payload


def read_exactly(connection, size):
    got = b""
    while len(got) < size:
        part = connection.recv(size - len(got))
        if not part:
            raise EOFError(got)
        got += part
    return got


def read_frame(connection):
    kind, length = struct.unpack("<BI", read_exactly(connection, 8)[3:])
    return kind, read_exactly(connection, length)


class Recorder:
    """A relay to a port that keeps what the callers said."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self.target = None
        self.said = []  # one bytearray a call
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()
        for each in self._open:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self):
        while True:
            try:
                caller, _ = self._listener.accept()
                onward = socket.create_connection(self.target)
            except (OSError, TypeError):
                return
            self._open += [caller, onward]
            kept = bytearray()
            self.said.append(kept)
            for source, to, keep in (
                (caller, onward, kept),
                (onward, caller, None),
            ):
                threading.Thread(
                    target=self._pass, args=(source, to, keep), daemon=True
                ).start()

    @staticmethod
    def _pass(source, to, keep):
        try:
            while part := source.recv(65536):
                if keep is not None and len(keep) < MIB:
                    keep += part
                to.sendall(part)
        except OSError:
            pass
        for each in (source, to):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Strangers(ClusterCase):
    """Two nodes; the second reaches the first through a recorder."""

    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.made = self.cluster()
        self.recorder = Recorder()
        self.addCleanup(self.recorder.close)
        self.first = self.made.node(
            "n1", cluster__advertise=self.recorder.address
        )
        await asyncio.to_thread(self.first.start)
        # The ready line says what is advertised; the port itself is asked.
        listen = self.first.get_json("/links")["listen"]
        self.port = int(listen.rpartition(":")[2])
        self.recorder.target = ("127.0.0.1", self.port)
        self.second = self.made.node("n2", join=[f"127.0.0.1:{self.port}"])
        await asyncio.to_thread(self.second.start)
        await asyncio.to_thread(self.made.settled, {1, 2})
        for uid in ("anna", "bert"):
            await self.register(self.first, uid)
        self.times_up = self.link()["times_up"]
        self.memory = self.first.private_bytes()

    # --- what must stay as it was ------------------------------------------

    def link(self):
        (link,) = self.first.get_json("/links")["links"]
        return link

    def refused(self, reason=None):
        samples = self.first.metrics()
        return sum(
            value
            for name, value in samples.items()
            if name.startswith("troupe_links_refused_total")
            and (reason is None or f'"{reason}"' in name)
        )

    def conversations(self):
        return self.first.metrics()["troupe_link_conversations"]

    async def posts_go_on(self, text):
        poster = await self.login_at(self.second, "anna")
        ack = await poster.post({"bert": 1}, text.encode())
        self.assertEqual(ack["type"], "ok", ack)
        self.assertIsNone(ack.get("error"), ack)
        poster.vanish()
        reader = await self.login_at(self.first, "bert")
        while (await reader.take()).data != text.encode():
            pass
        reader.vanish()

    async def unharmed(self, text):
        await asyncio.to_thread(
            until, lambda: self.conversations() == 0, "conversations stay"
        )
        link = self.link()
        self.assertEqual(link["state"], "up", link)
        self.assertEqual(link["times_up"], self.times_up, link)
        self.assertEqual(set(self.made.rows(self.first)), {1, 2})
        await self.posts_go_on(text)
        if MEMORY_IS_COMPARABLE:
            grown = self.first.private_bytes() - self.memory
            self.assertLess(grown, 64 * MIB)

    def stranger(self):
        made = socket.create_connection(("127.0.0.1", self.port), 10)
        made.settimeout(20)
        self.addCleanup(made.close)
        return made

    def is_cut(self, connection):
        """Whatever it says, the node hangs up; what it said."""
        got = b""
        try:
            while part := connection.recv(65536):
                got += part
        except ConnectionResetError:
            pass
        return got

    def say(self, *bytes_of):
        """Says all of it to a new connection, which must be cut."""
        connection = self.stranger()
        try:
            for each in bytes_of:
                connection.sendall(each)
        except (BrokenPipeError, ConnectionResetError):
            pass  # cut already
        return self.is_cut(connection)

    # --- who comes ---------------------------------------------------------

    async def test_bytes_without_sense(self):
        chance = random.Random(SEED)
        before = self.refused()
        tries = [
            b"GET / HTTP/1.1\r\nHost: troupe\r\n\r\n",
            b"POST /nodes/2/remove HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64,
            # Heads of the framework that claim 4 GiB.
            b"\x01\0\0\0\xff\xff\xff\xf0" + b"\0" * 24,
            b"\x02\0\0\0\xff\xff\xff\xf0" + b"\0" * 24,
            # Lengths of our own frames, up to the largest there is.
            *[frame(HELLO, b"", n) for n in (4097, MIB, 2**31, 2**32 - 1)],
            frame(HELLO, b"h" * 90),
            frame(PROOF, b"p" * 32),
            frame(ACCEPTED, b"a" * 128),
            frame(0, b""),
            frame(99, b"x"),
            b"TRX" + b"\0" * 200,
        ]
        for _ in range(100):
            tries.append(chance.randbytes(chance.randint(8, 20_000)))
        for _ in range(100):  # begins like one of ours
            body = chance.randbytes(chance.randint(0, 300))
            tries.append(frame(chance.randint(0, 8), body))
        cut = 0
        for each in tries:
            connection = self.stranger()
            try:
                connection.sendall(each)
                # A whole frame short of its payload would be waited for.
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            await asyncio.to_thread(self.is_cut, connection)
            connection.close()
            cut += 1
        await asyncio.to_thread(
            until,
            lambda: self.refused() >= before + cut,
            f"not all of {cut} are counted (seed {SEED})",
        )
        self.assertGreater(self.refused("malformed"), 100)
        self.assertIn("not the protocol of Troupe's links", self.first.log())
        self.assertIn("TLS not spoken here", self.first.log())
        # Strangers can't fill the disk with lines.
        lines = self.first.log().count("] refused ") or sum(
            "refused 127.0.0.1" in line
            for line in self.first.log().splitlines()
        )
        self.assertLessEqual(lines, 180)
        await self.unharmed("after garbage")

    async def test_half_and_slow_greetings_are_bounded(self):
        hello = bytes(self.recorder.said[0])
        length = struct.unpack("<I", hello[4:8])[0]
        hello = hello[: 8 + length]
        before = self.refused()
        threads_before = len(os.listdir(f"/proc/{self.first.pid}/task"))
        most = 0
        held = []
        for i in range(300):
            connection = self.stranger()
            held.append(connection)
            part = (b"", hello[:1], hello[:8], hello[:-1], hello)[i % 5]
            try:
                connection.sendall(part)
            except OSError:
                pass
            if i % 20 == 0:
                most = max(most, await asyncio.to_thread(self.conversations))
        self.assertGreater(most, 0)
        self.assertLessEqual(most, 64)
        # One that never stops and never says anything.
        drip = self.stranger()
        began = time.monotonic()

        def dripping():
            try:
                for each in hello[:-1]:
                    drip.sendall(bytes([each]))
                    time.sleep(0.2)
            except OSError:
                return True
            return not drip.recv(1)

        self.assertTrue(await asyncio.to_thread(dripping))
        self.assertLess(time.monotonic() - began, 15)
        self.assertEqual(
            len(os.listdir(f"/proc/{self.first.pid}/task")), threads_before
        )
        # While they stay, a new node is let in all the same.
        third = self.made.node("n3", join=[f"127.0.0.1:{self.port}"])
        flood = [self.stranger() for _ in range(50)]
        await asyncio.to_thread(third.start)
        for connection in held + flood:
            await asyncio.to_thread(self.is_cut, connection)
        await asyncio.to_thread(
            until,
            lambda: self.refused() >= before + 300,
            "not all of them are counted",
        )
        self.assertGreater(self.refused("too_many_conversations"), 0)
        self.assertGreater(self.refused("timed_out"), 0)
        await asyncio.to_thread(self.made.settled, {1, 2, 3})

    async def test_a_recorded_greeting_is_worth_nothing(self):
        recorded = max((bytes(each) for each in self.recorder.said), key=len)
        kind, length = struct.unpack("<BI", recorded[3:8])
        self.assertEqual((recorded[:3], kind), (b"TRL", HELLO))
        hello = recorded[: 8 + length]
        rest = recorded[8 + length :]
        kind, length = struct.unpack("<BI", rest[3:8])
        self.assertEqual((rest[:3], kind), (b"TRL", PROOF))
        proof = rest[: 8 + length]
        self.assertGreater(len(rest), len(proof), "nothing behind the proof")

        before = self.refused("wrong_cluster_secret")
        # Step by step, as the real one did; and the tape as it was.
        connection = self.stranger()
        connection.sendall(hello)
        kind, challenge = await asyncio.to_thread(read_frame, connection)
        self.assertEqual(kind, CHALLENGE)
        # A stranger learns a version and a random number.
        self.assertLessEqual(len(challenge), 40)
        connection.sendall(proof)
        kind, why = await asyncio.to_thread(read_frame, connection)
        self.assertEqual(kind, REFUSAL)
        self.assertIn(b"does not know the cluster secret", why)
        self.assertEqual(await asyncio.to_thread(self.is_cut, connection), b"")
        await asyncio.to_thread(self.say, recorded)
        # A hello that is right, and a guess.
        chance = random.Random(SEED)
        for _ in range(20):
            connection = self.stranger()
            connection.sendall(hello)
            await asyncio.to_thread(read_frame, connection)
            connection.sendall(frame(PROOF, chance.randbytes(32)))
            await asyncio.to_thread(self.is_cut, connection)
        await asyncio.to_thread(
            until,
            lambda: self.refused("wrong_cluster_secret") >= before + 22,
            "not all guesses are counted",
        )
        self.assertIn("wrong cluster secret", self.first.log())
        await self.unharmed("after a replay")

    async def test_the_framework_without_troupe(self):
        program = os.environ.get("TROUPE_TEST_CAF_STRANGER")
        if not program:
            self.skipTest("TROUPE_TEST_CAF_STRANGER names no program")
        before = self.refused()
        done = await asyncio.to_thread(
            subprocess.run,
            [program, str(self.port)],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("remote_actor: refused", done.stdout)
        self.assertIn("connect: refused", done.stdout)
        await asyncio.to_thread(
            until, lambda: self.refused() >= before + 2, "not counted"
        )
        await self.unharmed("after a stranger of the framework")

        # The other way round: a node that is sent to such a program.
        server = subprocess.Popen(
            [program, "listen"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(server.wait, 30)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.stdin.close)
        port = int(server.stdout.readline())
        lost = self.made.node("lost", join=[f"127.0.0.1:{port}"])
        lost.spawn()
        try:
            await asyncio.to_thread(lost.wait_for_log, f"127.0.0.1:{port}")
            self.assertEqual(lost.addresses, {})
        finally:
            if lost.running():
                await asyncio.to_thread(lost.kill)


if __name__ == "__main__":
    unittest.main()
