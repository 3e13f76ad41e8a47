# SPDX-License-Identifier: Apache-2.0
"""Z13, the audit log from outside: what clients and operators do is in it, and
whom the doors turn away."""

import asyncio
import hashlib
import json
import unittest

from tests.integration.audit_programs import logged_in, troupe, verified
from tests.integration.mq_case import MqCase, eventually
from tests.integration.msgbus_client import Wire, get, post, until
from tests.integration.troupe_node import TroupeNode
from tests.integration.zenconn_client import Refused, ZenconnClient

TEXT = "Content-Type: text/plain\r\n"


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
        client = await logged_in(self, node, "alice")
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
            # Who is turned away does not wait for the record.
            (found,) = until(
                lambda: [
                    r
                    for r in self.records("kind=admin&accepted=false")
                    if r["reason"] == why
                ],
                f"no record of {why}",
            )
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
            (found,) = until(
                lambda: self.records(f"kind={kind}&target=closed"),
                f"no record of a refused {kind}",
            )
            self.assertFalse(found["accepted"])
            self.assertEqual(found["reason"], "not_granted")
            self.assertEqual(found["user"], "eve")
            self.assertIn("session", found)


if __name__ == "__main__":
    unittest.main()
