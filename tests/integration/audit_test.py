# SPDX-License-Identifier: Apache-2.0
"""Z13, the audit log from outside: what clients and operators do is in it,
nothing that was acknowledged is missing after kill -9, and a change of what
was written is noticed."""

import asyncio
import errno
import hashlib
import json
import os
import random
import subprocess
import unittest

from tests.integration import audit_reader
from tests.integration.mq_case import MqCase, eventually
from tests.integration.mq_client import MqClient
from tests.integration.msgbus_client import Wire, get, post
from tests.integration.troupe_node import TroupeNode, binary
from tests.integration.zenconn_client import Refused, ZenconnClient

SEED = int(os.environ.get("TROUPE_TEST_SEED", random.randrange(1 << 32)))
TEXT = "Content-Type: text/plain\r\n"
KILLS = int(os.environ.get("TROUPE_TEST_KILLS", "6"))


def troupe(*arguments):
    return subprocess.run(
        [binary(), *arguments], capture_output=True, text=True, timeout=120
    )


def exported(folder):
    """All records of a folder, in order."""
    done = troupe("audit", "export", "--folder", str(folder))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def verified(folder, *arguments):
    done = troupe("audit", "verify", str(folder), "--json", *arguments)
    return done.returncode, json.loads(done.stdout)


class AuditCase(MqCase):
    settings = {
        "audit.enabled": "true",
        "audit.payload": "full",
        "auth.grants": "publish:#,subscribe:#,post:users/#",
    }

    def records(self, **terms):
        query = "&".join(f"{k}={v}" for k, v in terms.items())
        return self.node.get_json(f"/audit?limit=1000&{query}")["records"]

    async def one(self, **terms):
        """The only record; some are written when a connection has gone."""
        found = await eventually(lambda: self.records(**terms))
        self.assertEqual(len(found), 1, found)
        return found[0]

    async def test_posts_are_recorded_with_what_became_of_them(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        self.assert_ok(await alice.post({bob.uid: 1}, b"hello"))
        refused = await alice.post({"a-list": 3}, b"lost")
        self.assertEqual(refused["type"], "error", refused)
        good, bad = self.records(kind="post", user=alice.uid)
        self.assertEqual(good["to"], [bob.uid])
        self.assertTrue(good["accepted"])
        self.assertEqual(good["size"], 5)
        self.assertEqual(good["sha256"], hashlib.sha256(b"hello").hexdigest())
        self.assertEqual(good["payload"], "hello")
        self.assertRegex(good["reference"], r"^\d+-\d+$")
        self.assertEqual(good["address"], "127.0.0.1")
        self.assertFalse(bad["accepted"])
        self.assertEqual((bad["to"], bad["size"]), (["a-list"], 4))
        self.assertIn("permitted", bad["reason"])
        self.assertEqual(self.records(kind="post", target=bob.uid), [good])

    async def test_logins_and_their_end_are_recorded(self):
        alice = await self.user("alice")
        session = (await self.one(kind="login", user=alice.uid))["session"]
        stranger = await self.connect()
        await stranger.send("login", userId=alice.uid, nodeId="another")
        self.assertEqual((await stranger.receive()).op, "quit")
        await alice.close()
        ended = await self.one(kind="logout", user=alice.uid)
        self.assertEqual(ended["session"], session)
        refused = await self.one(
            kind="login", user=alice.uid, accepted="false"
        )
        self.assertNotEqual(refused["reason"], "")

    async def test_no_device_is_ever_written_down(self):
        client = await self.connect()
        uid = self.name("carol")
        await client.register(uid, "the-secret-of-carol", "carrie")
        made = await self.one(kind="account", target=uid)
        self.assertEqual((made["type"], made["detail"]), ("register", "carrie"))
        answer = await asyncio.to_thread(
            self.node.request,
            "POST",
            "/rights/passwords",
            {"uid": uid, "password": "the-secret-of-carol"},
        )
        self.assertEqual(answer.status, 200)
        await client.close()
        for file in (self.node.data / "audit").iterdir():
            self.assertNotIn(b"the-secret-of-carol", file.read_bytes())

    async def test_lists_are_recorded(self):
        alice = await self.user("alice")
        name = self.name("list")
        await alice.edit_list(name, "add", alice.uid)
        made = await self.one(kind="list", target=name)
        self.assertEqual(made["user"], alice.uid)
        self.assertEqual((made["type"], made["detail"]), ("add", alice.uid))

    async def test_acts_of_operators_are_recorded(self):
        role = self.name("role")
        body = {"role": role, "give": ["publish:rooms/#"]}
        answer = await asyncio.to_thread(
            self.node.request, "POST", "/rights/roles", body
        )
        found = [
            r for r in self.records(kind="admin") if role in r.get("detail", "")
        ]
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0]["accepted"], answer.status < 400)
        self.assertEqual(found[0]["target"], "/rights/roles")
        self.assertEqual(found[0]["type"], "POST")
        self.assertEqual(json.loads(found[0]["detail"]), body)

    async def test_channels_are_recorded(self):
        if os.environ.get("TROUPE_TEST_WORKERS"):
            self.skipTest("workers serve no channels")
        channel = self.name("room")
        with Wire(self.node.address()) as listener:
            listener.send(get(f"/msgbus/{channel}"))
            listener.head()
            await self.one(kind="join", target=channel)
            with Wire(self.node.address()) as sender:
                sender.send(post(f"/msgbus/{channel}", "hello"))
                self.assertIn(b" 204 ", sender.answer()[0])
                # It is there when the answer is.
                (sent,) = self.records(kind="publish", target=channel)
        self.assertEqual((sent["type"], sent["payload"]), ("text/plain", "hello"))
        gone = await self.one(kind="leave", target=channel)
        joined = await self.one(kind="join", target=channel)
        self.assertEqual(gone["session"], joined["session"])

    def zenconn_logins(self):
        logins = self.records(kind="login")
        return [r for r in logins if r.get("type") == "zenconn"]

    async def test_z13_what_zenconn_clients_do_is_recorded(self):
        if os.environ.get("TROUPE_TEST_WORKERS"):
            self.skipTest("workers do not serve ZenConn")
        channel = self.name("private.room")
        with ZenconnClient.connect(self.node.address()) as client:
            login = self.zenconn_logins()[-1]
            self.assertTrue(login["accepted"])
            mine = {"session": login["session"]}
            answer = client.subscribe(channel, "a guess")
            self.assertEqual(answer["type"], "unauthorized")
            for n in range(20):
                sent = client.broadcast(channel, n)
                self.assertEqual(sent["type"], "error")
            # They are there when the answer is.
            records = self.records(target=channel)
            self.assertEqual(
                [(r["kind"], r["accepted"]) for r in records],
                [("join", False)] + [("publish", False)] * 20,
            )
            public = self.name("room")
            client.subscribe(public)
            for n in range(20):
                client.broadcast(public, n)
                self.assertEqual(
                    len(self.records(kind="publish", target=public)), n + 1
                )
            sent = self.records(kind="publish", target=public)
            self.assertEqual([r["payload"] for r in sent], list(map(str, range(20))))
            self.assertEqual({r["session"] for r in sent}, {mine["session"]})
        await self.one(kind="leave", target=public)
        with self.assertRaises(Refused):
            ZenconnClient(self.node.address(), bearer="no such token")
        refused = self.zenconn_logins()[-1]
        self.assertFalse(refused["accepted"])
        self.assertEqual(refused["address"], "127.0.0.1")

    async def test_pages_follow_each_other(self):
        alice = await self.user("alice")
        for n in range(7):
            self.assert_ok(await alice.post({alice.uid: 1}, b"%d" % n))
        found, after = [], 0
        while after is not None:
            page = self.node.get_json(
                f"/audit?kind=post&user={alice.uid}&limit=3&after={after}"
            )
            found += page["records"]
            after = page["next"]
        self.assertEqual([r["payload"] for r in found], list("0123456"))

    async def test_mistakes_in_a_query_are_named(self):
        for query in ("kind=nothing", "from=yesterday", "limit=0", "limit=1001",
                      "after=x", "after=-1", "accepted=2", "session=",
                      "until=2026-13-01T00:00:00Z", "usr=alice"):
            answer = self.node.get("/audit?" + query)
            self.assertEqual(answer.status, 400, query)

    async def test_the_command_line_shows_the_same(self):
        alice = await self.user("alice")
        self.assert_ok(await alice.post({alice.uid: 1}, b"x"))
        done = await asyncio.to_thread(
            troupe,
            "audit",
            "query",
            "--admin",
            self.node.admin_url.removeprefix("http://"),
            "--user",
            alice.uid,
            "--since",
            "1h",
            "--json",
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(rows, self.records(user=alice.uid))

    async def test_a_running_log_is_whole_and_has_its_anchor(self):
        alice = await self.user("alice")
        self.assert_ok(await alice.post({alice.uid: 1}, b"x"))
        anchor = self.node.get_json("/audit/state")["anchor"]
        code, found = verified(self.node.data / "audit", "--anchor", anchor)
        self.assertEqual((code, found["whole"]), (0, True))

    async def test_there_are_metrics(self):
        samples = await asyncio.to_thread(self.node.metrics)
        self.assertGreater(samples["troupe_audit_records_total"], 0)
        self.assertEqual(samples["troupe_audit_dropped_total"], 0)


class OffTest(unittest.TestCase):
    def test_without_the_setting_there_is_nothing(self):
        node = TroupeNode()
        self.addCleanup(node.remove)
        node.start()
        self.assertEqual(node.get("/audit").status, 404)
        self.assertFalse((node.data / "audit").exists())
        self.assertNotIn("troupe_audit_records_total", node.metrics())
        self.assertEqual(node.stop(), 0)


class RefusedOnlyTest(unittest.IsolatedAsyncioTestCase):
    async def test_accepted_messages_can_be_left_out(self):
        node = TroupeNode(
            {
                "audit.enabled": "true",
                "audit.messages": "refused",
                "auth.grants": "post:users/#",
            }
        )
        self.addCleanup(node.remove)
        await asyncio.to_thread(node.start)
        client = await MqClient.connect(node.address())
        self.addCleanup(client.vanish)
        await client.register("alice", "n0")
        await client.login("alice", "n0")
        self.assertEqual((await client.post({"alice": 1}, b"x"))["type"], "ok")
        refused = await client.post({"a-list": 3}, b"x")
        self.assertEqual(refused["type"], "error")
        found = node.get_json("/audit?user=alice")["records"]
        self.assertEqual(
            [(r["kind"], r["accepted"]) for r in found],
            [("account", True), ("login", True), ("post", False)],
        )
        client.vanish()
        self.assertEqual(await asyncio.to_thread(node.stop), 0)


class RefusalTest(unittest.TestCase):
    """Whom the doors turn away, and why."""

    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode(
            {
                "audit.enabled": "true",
                "admin.token": "a-token",
                "auth.grants": "publish:open/#",
            }
        )
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()

    def records(self, query):
        answer = self.node.get(
            "/audit?" + query, {"Authorization": "Bearer a-token"}
        )
        self.assertEqual(answer.status, 200)
        return answer.json["records"]

    def test_operators_without_the_token(self):
        for fields, why in (
            ({}, "no_credentials"),
            ({"Authorization": "Bearer other"}, "wrong_credentials"),
        ):
            answer = self.node.request("DELETE", "/users/zoe", None, fields)
            self.assertEqual(answer.status, 401)
            found = self.records("kind=admin&accepted=false")[-1]
            self.assertEqual(found["reason"], why)
            self.assertEqual(found["target"], "/users/zoe")
            self.assertEqual(found["type"], "DELETE")
            self.assertEqual(found["address"], "127.0.0.1")

    def test_those_who_may_not_publish_or_listen(self):
        # eve, with any password: nobody has that name
        name = "Authorization: Basic ZXZlOng=\r\n"
        for request, kind in (
            (post("/msgbus/closed", "hello", name + TEXT), "publish"),
            (get("/msgbus/closed", name), "join"),
        ):
            with Wire(self.node.address()) as wire:
                wire.send(request)
                self.assertIn(b" 403 ", wire.head().split(b"\r\n")[0])
            (found,) = self.records(f"kind={kind}&target=closed")
            self.assertFalse(found["accepted"])
            self.assertEqual(found["reason"], "not_granted")
            self.assertEqual(found["user"], "eve")
            self.assertIn("session", found)


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
        client = await MqClient.connect(node.address())
        self.addCleanup(client.vanish)
        await client.register("alice", "n0")
        await client.login("alice", "n0")
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
        client = await MqClient.connect(self.node.address())
        self.addCleanup(client.vanish)
        await client.register(uid, "n0")
        await client.login(uid, "n0")
        return client

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
        client = await MqClient.connect(node.address())
        self.addCleanup(client.vanish)
        await client.register("alice", "n0")
        await client.login("alice", "n0")
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
        await asyncio.sleep(0.3)
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
