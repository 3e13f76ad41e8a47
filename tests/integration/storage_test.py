# SPDX-License-Identifier: Apache-2.0
"""What a node does about its data folder: in use, newer, damaged, torn,
full."""

import asyncio
import contextlib
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests.integration.mq_case import MqCase
from tests.integration.troupe_node import NotReady, TroupeNode

MIB = 1 << 20
SECTOR = 512  # what a disk writes whole


class OwnNode(MqCase):
    """A node of its own for each test."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        self.node = TroupeNode(self.settings)
        self.addCleanup(self.node.remove)


class DataFolder(OwnNode):
    def refused(self, node=None):
        """The text with which a start is refused."""
        with self.assertRaises(NotReady) as caught:
            (node or self.node).start()
        text = str(caught.exception)
        self.assertRegex(text, r"^exited with [1-9]")
        return text

    async def filled(self, count, size=100):
        """A killed node that has acked that many posts; alice and bob."""
        await asyncio.to_thread(self.node.start)
        alice = await self.user("alice")
        bob = await self.user("bob", login=False)
        for n in range(count):
            data = b"<message %04d>" % n + b"." * size
            self.assert_ok(await alice.post({bob.uid: 1}, data))
        await asyncio.to_thread(self.node.kill)
        return alice, bob

    def place_in_log(self, text):
        """(file, offset) of a text in the log."""
        for path in sorted((self.node.data / "log").iterdir()):
            at = path.read_bytes().find(text)
            if at >= 0:
                return path, at
        raise AssertionError(f"{text} is not in the log")

    async def everything(self, bob):
        """Texts bob gets, up to a marker of his own."""
        self.assert_ok(await bob.post({bob.uid: 1}, b"the end"))
        texts = []
        while (message := await bob.take()).data != b"the end":
            texts.append(message.data.rstrip(b"."))
        return texts

    async def test_second_process_is_refused(self):
        await asyncio.to_thread(self.node.start)
        second = TroupeNode(data=self.node.data)
        text = await asyncio.to_thread(self.refused, second)
        self.assertIn("in use", text)
        self.assertIn(str(self.node.data), text)
        self.assertIn(str(self.node.pid), text)
        # The first one has not noticed.
        alice = await self.user("alice")
        await self.assert_next_is_marker(alice, alice)
        self.assertEqual(await asyncio.to_thread(self.node.stop), 0)

    async def test_killed_holder_is_no_holder(self):
        await asyncio.to_thread(self.node.start)
        await asyncio.to_thread(self.node.kill)
        await asyncio.to_thread(self.node.start)

    async def test_newer_format_is_refused(self):
        await self.filled(1)
        path = self.node.data / "troupe.json"
        identity = json.loads(path.read_text())
        identity["format"] += 1
        path.write_text(json.dumps(identity))
        text = self.refused()
        self.assertIn("newer", text)
        self.assertIn(str(path), text)

    async def test_foreign_folder_is_refused(self):
        self.node.data.mkdir()
        (self.node.data / "troupe.json").write_text('{"product":"other"}')
        self.assertIn("troupe.json", self.refused())

    async def test_damage_inside_the_log_stops_the_node(self):
        await self.filled(50)
        path, at = self.place_in_log(b"<message 0010>")
        with path.open("r+b") as file:
            file.seek(at + 3)
            file.write(b"#")
        text = self.refused()
        self.assertIn("corrupt", text)
        self.assertIn(path.name, text)
        # It stays so: nothing was cut to make it fit.
        self.assertIn("corrupt", self.refused())
        with path.open("r+b") as file:
            file.seek(at + 3)
            file.write(b"s")
        await asyncio.to_thread(self.node.start)

    async def test_torn_tail_is_cut(self):
        """A batch that was being written when the power went was never
        acknowledged; here it is the start of an older one, put where the next
        would go."""
        alice, bob = await self.filled(30)
        path, _ = self.place_in_log(b"<message 0029>")
        data = path.read_bytes()
        end = len(data.rstrip(b"\0"))
        end += -end % 4096
        with path.open("r+b") as file:
            file.seek(end)
            file.write(os.urandom(SECTOR - 8))  # the mark never made it
        await asyncio.to_thread(self.node.start)
        bob = await self.again(bob)
        self.assertEqual(
            await self.everything(bob),
            [b"<message %04d>" % n for n in range(30)],
        )

    async def test_log_may_not_vanish(self):
        await self.filled(5)
        for path in (self.node.data / "log").iterdir():
            path.unlink()
        self.refused()

    async def test_data_is_private(self):
        await self.filled(1)
        for path in [self.node.data, *self.node.data.rglob("*")]:
            allowed = 0o700 if path.is_dir() else 0o600
            self.assertEqual(path.stat().st_mode & 0o777 & ~allowed, 0, path)


class Full(OwnNode):
    """Posts are refused in words while space is short, reading goes on, and
    posting does again once there is room."""

    async def fill_up(self, alice, to, data, attempts):
        """Posts until refused; returns how many were taken."""
        for taken in range(attempts):
            ack = await alice.post({to: 1}, data)
            if ack["type"] == "error" or ack.get("error"):
                self.assertIn("storage full", ack["error"])
                return taken
        raise AssertionError(f"{attempts} posts and still room")

    async def resumes(self, alice, uid):
        """Posts until one is taken: room is made in the background."""
        while True:
            ack = await alice.post({uid: 1}, b"room again")
            if ack["type"] == "ok" and not ack.get("error"):
                return
            await asyncio.sleep(0.1)

    async def read_all(self, bob, count, size):
        for _ in range(count):
            self.assertEqual(len((await bob.take()).data), size)

    async def check_full(self, make_room, attempts):
        await asyncio.to_thread(self.node.start)
        alice = await self.user("alice")
        bob = await self.user("bob", login=False)
        data = os.urandom(200_000)
        taken = await self.fill_up(alice, bob.uid, data, attempts)
        self.assertGreater(taken, 0)
        # Full is no reason to end, to lose, or to keep from reading.
        bob = await self.again(bob)
        await self.read_all(bob, taken, len(data))
        make_room()
        async with asyncio.timeout(60):
            await self.resumes(alice, bob.uid)
        self.assertEqual((await bob.take()).data, b"room again")
        self.assertEqual(await asyncio.to_thread(self.node.stop), 0)
        await asyncio.to_thread(self.node.start)
        alice = await self.again(alice)
        await self.assert_next_is_marker(alice, alice)
        self.assertEqual(await asyncio.to_thread(self.node.stop), 0)


class Quota(Full):
    settings = {
        "storage.segment_bytes": "2MiB",
        "storage.quota_bytes": "24MiB",
        "storage.reserve_bytes": "0",
        "mq.message_bytes_max": "400KiB",
    }

    async def test_quota_reached(self):
        await self.check_full(lambda: None, attempts=500)


class Disk(Full):
    settings = {
        "storage.segment_bytes": "2MiB",
        "storage.reserve_bytes": "8MiB",
        "mq.message_bytes_max": "400KiB",
    }

    @contextlib.contextmanager
    def small_disk(self, size):
        with tempfile.TemporaryDirectory(prefix="troupe-disk-") as folder:
            mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none"]
            done = subprocess.run(
                [*mount, folder], capture_output=True, text=True
            )
            if done.returncode != 0:
                self.skipTest("a small disk needs root: " + done.stderr)
            try:
                yield Path(folder)
            finally:
                subprocess.run(["umount", folder], check=True)

    async def test_disk_full(self):
        with self.small_disk("96m") as disk:
            ballast = disk / "ballast"
            ballast.write_bytes(bytes(48 * MIB))
            self.node = TroupeNode(self.settings, data=disk / "data")
            try:
                await self.check_full(ballast.unlink, attempts=1000)
            finally:
                self.node.remove()


if __name__ == "__main__":
    unittest.main()
