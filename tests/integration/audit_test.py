# SPDX-License-Identifier: Apache-2.0
"""Z13, the audit log from outside: what clients and operators do is in it,
nothing that was acknowledged is missing after kill -9, and a change of what
was written is noticed."""

import asyncio
import hashlib
import json
import os
import random
import subprocess
import unittest

from tests.integration import audit_reader
from tests.integration.mq_case import MqCase, eventually
from tests.integration.mq_client import MqClient
from tests.integration.msgbus_client import Wire, get
from tests.integration.troupe_node import TroupeNode, binary

SEED = int(os.environ.get("TROUPE_TEST_SEED", random.randrange(1 << 32)))
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


def publish(channel, body, fields=""):
    return (
        f"POST /msgbus/{channel} HTTP/1.1\r\nHost: h\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        f"{fields}\r\n{body}"
    )


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
        channel = self.name("room")
        with Wire(self.node.address()) as listener:
            listener.send(get(f"/msgbus/{channel}"))
            listener.head()
            await self.one(kind="join", target=channel)
            with Wire(self.node.address()) as sender:
                sender.send(publish(channel, "hello"))
                self.assertIn(b" 204 ", sender.answer()[0])
                # It is there when the answer is.
                (sent,) = self.records(kind="publish", target=channel)
        self.assertEqual((sent["type"], sent["payload"]), ("text/plain", "hello"))
        gone = await self.one(kind="leave", target=channel)
        joined = await self.one(kind="join", target=channel)
        self.assertEqual(gone["session"], joined["session"])

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
        for query in ("kind=nothing", "from=yesterday", "limit=0", "after=x"):
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
