# SPDX-License-Identifier: Apache-2.0
"""The audit log on its disk: what is kept of it, a disk that is full, a change
of what was written, and kill -9 (Z13)."""

import asyncio
import errno
import os
import random
import subprocess
import unittest

from tests.integration import audit_reader
from tests.integration.audit_programs import exported, logged_in, verified
from tests.integration.mq_case import eventually
from tests.integration.mq_client import MqClient
from tests.integration.troupe_node import TroupeNode

SEED = int(os.environ.get("TROUPE_TEST_SEED", random.randrange(1 << 32)))
KILLS = int(os.environ.get("TROUPE_TEST_KILLS", "6"))


class RetentionTest(unittest.IsolatedAsyncioTestCase):
    async def test_the_oldest_segments_go_and_the_rest_verifies(self):
        node = TroupeNode(
            {
                "audit.enabled": "true",
                "audit.payload": "full",
                "audit.segment_bytes": "64KiB",
            }
        )
        self.addCleanup(node.remove)
        await asyncio.to_thread(node.start)
        client = await logged_in(self, node, "alice")
        for n in range(30):
            text = b"%03d" % n + bytes(9000)
            answer = await client.post({"alice": 1}, text)
            self.assertEqual(answer["type"], "ok")
        client.vanish()
        self.assertEqual(await asyncio.to_thread(node.stop), 0)
        folder = node.data / "audit"
        before = exported(folder)
        self.assertGreater(len(list(folder.glob("*.audit"))), 3)

        node.settings["audit.keep_bytes"] = "128KiB"
        await asyncio.to_thread(node.start)
        (noted,) = await eventually(
            lambda: node.get_json("/audit?kind=trimmed")["records"]
        )
        self.assertEqual(await asyncio.to_thread(node.stop), 0)
        after = exported(folder)
        self.assertEqual(after[0]["sequence"], noted["size"])
        self.assertGreater(after[0]["sequence"], 1)
        kept = [r for r in before if r["sequence"] >= noted["size"]]
        self.assertEqual(after[: len(kept)], kept)
        size = sum(f.stat().st_size for f in folder.iterdir())
        self.assertLess(size, 200 * 1024)
        code, found = verified(folder)
        self.assertEqual((code, found["records"]), (0, len(after)), found)


class FullDiskTest(unittest.IsolatedAsyncioTestCase):
    """The audit's folder on a small disk of its own."""

    async def begin(self, **settings):
        self.node = node = TroupeNode()
        self.addCleanup(node.remove)
        await asyncio.to_thread(node.start)
        await asyncio.to_thread(node.stop)
        folder = node.data / "audit"
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)]
        done = subprocess.run(mount, capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest("a small disk needs root: " + done.stderr)
        self.addCleanup(subprocess.run, ["umount", str(folder)], check=True)
        node.settings.update(
            {
                "audit.enabled": "true",
                "audit.queue_bytes_max": "64KiB",
                "audit.segment_bytes": "64KiB",
                **settings,
            }
        )
        await asyncio.to_thread(node.start)
        self.addCleanup(node.kill)

    async def user(self, uid):
        return await logged_in(self, self.node, uid)

    def fill(self):
        ballast = self.node.data / "audit" / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError as full:
                self.assertEqual(full.errno, errno.ENOSPC)
        return ballast

    def stuck(self):
        return self.node.metrics()["troupe_audit_stuck"] == 1

    async def end(self):
        self.assertEqual(await asyncio.to_thread(self.node.stop), 0)
        code, found = verified(self.node.data / "audit")
        self.assertEqual((code, found["torn_bytes"]), (0, 0), found)
        return exported(self.node.data / "audit")

    async def test_records_are_lost_counted_and_nobody_waits(self):
        await self.begin()
        alice = await self.user("alice")
        ballast = self.fill()
        for n in range(1000):
            answer = await alice.post({"alice": 1}, b"%d" % n)
            self.assertEqual(answer["type"], "ok", answer)
        self.assertTrue(self.stuck())
        ballast.unlink()
        await eventually(lambda: not self.stuck())
        answer = await alice.post({"alice": 1}, b"after")
        self.assertEqual(answer["type"], "ok", answer)
        alice.vanish()
        await eventually(
            lambda: self.node.metrics()["troupe_audit_queued_records"] == 0
        )
        lost = self.node.metrics()["troupe_audit_dropped_total"]
        self.assertGreater(lost, 0)
        records = await self.end()
        said = [r["size"] for r in records if r["kind"] == "dropped"]
        self.assertEqual(sum(said), lost)

    async def test_new_work_is_refused_until_there_is_room(self):
        await self.begin(
            **{
                "audit.overflow": "refuse",
                "audit.payload": "full",
                "audit.payload_bytes_max": "1MiB",
            }
        )
        alice, bob = await self.user("alice"), await self.user("bob")
        ballast = self.fill()
        # One record may be larger than the queue.
        waits = asyncio.create_task(alice.post({"alice": 1}, bytes(100_000)))
        await eventually(self.stuck)
        refused = await bob.post({"bob": 1}, b"x")
        self.assertEqual(refused["type"], "error", refused)
        self.assertFalse(waits.done())
        ballast.unlink()
        self.assertEqual((await waits)["type"], "ok")
        await eventually(lambda: not self.stuck())
        self.assertEqual((await bob.post({"bob": 1}, b"y"))["type"], "ok")
        for client in (alice, bob):
            client.vanish()
        records = await self.end()
        posts = [
            (r["user"], r["accepted"]) for r in records if r["kind"] == "post"
        ]
        self.assertEqual(
            sorted(posts), [("alice", True), ("bob", False), ("bob", True)]
        )


class TamperTest(unittest.IsolatedAsyncioTestCase):
    async def test_changes_cuts_and_other_keys_are_noticed(self):
        node = TroupeNode({"audit.enabled": "true"})
        self.addCleanup(node.remove)
        key = node.data.parent / "key"
        key.write_text("a key of the audit\n")
        node.settings["audit.key_file"] = str(key)
        await asyncio.to_thread(node.start)
        client = await logged_in(self, node, "alice")
        for n in range(20):
            await client.post({"alice": 1}, b"%d" % n)
        await client.close()
        self.assertEqual(await asyncio.to_thread(node.stop), 0)
        folder = node.data / "audit"
        records = exported(folder)
        self.assertEqual(records[-1]["kind"], "closed")
        self.assertEqual(verified(folder, "--key-file", str(key))[0], 0)
        read = audit_reader.read(folder, b"a key of the audit")
        self.assertEqual(
            [r["sequence"] for r in read], [r["sequence"] for r in records]
        )
        self.assertEqual(
            [r.get("sha256") for r in read], [r.get("sha256") for r in records]
        )
        other = node.data.parent / "other"
        other.write_text("another key\n")
        self.assertEqual(verified(folder, "--key-file", str(other))[0], 1)

        (segment,) = folder.glob("*.audit")
        written = segment.read_bytes()
        at = written.index(b"alice", len(written) // 2)
        segment.write_bytes(written[:at] + b"mallo" + written[at + 5 :])
        code, found = verified(folder)
        self.assertEqual(code, 1)
        self.assertEqual(found["broken"]["file"], segment.name)
        self.assertLess(found["broken"]["offset"], at)
        self.assertGreater(found["broken"]["last_right"], 5)

        last = records[-1]
        segment.write_bytes(written[: len(written) // 2])
        anchor = f"{last['sequence']}:{last['chain']}"
        self.assertEqual(verified(folder, "--anchor", anchor)[0], 1)


class KillTest(unittest.IsolatedAsyncioTestCase):
    """kill -9 under load: every post that was acknowledged has its record."""

    async def load(self, node, sender, acknowledged, up):
        numbers = iter(range(10**9))
        while True:
            await up.wait()
            try:
                client = await MqClient.connect(node.address())
            except (OSError, AssertionError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.02)
                continue
            try:
                await client.login(sender, "n0")
                while True:
                    text = f"{sender}-{next(numbers)}"
                    answer = await client.post({"sink": 1}, text.encode())
                    if answer["type"] == "ok":
                        acknowledged.append(text)
            except asyncio.CancelledError:
                raise
            except Exception:  # the node was killed, or is not up yet
                await asyncio.sleep(0.02)
            finally:
                client.vanish()

    async def test_z13_no_acknowledged_post_is_without_its_record(self):
        print(f"\nseed {SEED}, {KILLS} kills")
        asyncio.get_running_loop().set_debug(False)
        chance = random.Random(SEED)
        node = TroupeNode(
            {
                "audit.enabled": "true",
                "audit.payload": "full",
                "audit.segment_bytes": "64KiB",
            }
        )
        self.addCleanup(node.remove)
        await asyncio.to_thread(node.start)
        client = await MqClient.connect(node.address())
        senders = [f"sender{n}" for n in range(4)]
        for uid in [*senders, "sink"]:
            await client.register(uid, "n0")
        client.vanish()
        acknowledged, up = [], asyncio.Event()
        up.set()
        tasks = [
            asyncio.create_task(self.load(node, s, acknowledged, up))
            for s in senders
        ]
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.2, 1.0))
            up.clear()
            await asyncio.to_thread(node.kill)
            await asyncio.to_thread(node.start)
            up.set()
        so_far = len(acknowledged)
        await eventually(lambda: len(acknowledged) > so_far + 10)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.assertEqual(await asyncio.to_thread(node.stop), 0)
        folder = node.data / "audit"
        code, found = verified(folder)
        self.assertEqual((code, found["torn_bytes"]), (0, 0), found)
        records = exported(folder)
        numbers = list(range(1, len(records) + 1))
        self.assertEqual([r["sequence"] for r in records], numbers)
        read = audit_reader.read(folder)
        self.assertEqual([r["sequence"] for r in read], numbers)
        there = {
            r["payload"]
            for r in records
            if r["kind"] == "post" and r["accepted"]
        }
        missing = [text for text in acknowledged if text not in there]
        print(f"{len(acknowledged)} acknowledged, {len(records)} records")
        self.assertTrue(acknowledged)
        self.assertEqual(missing[:10], [], f"seed {SEED}")
        crashes = [r for r in records if r.get("type") == "after-crash"]
        self.assertEqual(len(crashes), KILLS)


if __name__ == "__main__":
    unittest.main()
