# SPDX-License-Identifier: Apache-2.0
"""The admin port: health, metrics, the live tree of actors, users and lists,
and who may look."""

import asyncio
import unittest

from tests.integration.mq_case import MqCase, eventually
from tests.integration.mq_client import Transport
from tests.integration.troupe_node import quoted

TOKEN = "integration-token"


class AdminCase(MqCase):
    async def ask(self, method, path, body=None, headers=None):
        return await asyncio.to_thread(
            self.node.request, method, path, body, headers
        )

    async def get_json(self, path):
        return await asyncio.to_thread(self.node.get_json, path)


class Health(AdminCase):
    async def test_live_and_ready(self):
        for path in ("/livez", "/readyz"):
            self.assertEqual((await self.ask("GET", path)).status, 200)

    async def test_unknown_paths_and_methods(self):
        self.assertEqual((await self.ask("GET", "/nowhere")).status, 404)
        self.assertEqual((await self.ask("DELETE", "/livez")).status, 405)

    async def test_metrics_can_be_read_and_move(self):
        before = await asyncio.to_thread(self.node.metrics)
        self.assertTrue(any(name.startswith("troupe_") for name in before))
        alice = await self.user("alice")
        for _ in range(5):
            self.assert_ok(await alice.post({alice.uid: 1}))
            await alice.take()

        def moved():
            after = self.node.metrics()
            return any(
                "post" in name and value >= before.get(name, 0) + 5
                for name, value in after.items()
            )

        await eventually(moved)

    async def test_metrics_have_help_and_types(self):
        text = (await self.ask("GET", "/metrics")).text
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name = line.split("{")[0].split(" ")[0]
                for suffix in ("_bucket", "_sum", "_count"):
                    if f"# TYPE {name} " not in text:
                        name = name.removesuffix(suffix)
                self.assertIn(f"# TYPE {name} ", text)

    async def test_admin_and_public_are_apart(self):
        client = await self.connect()
        await client.send_bytes(
            b"GET /actors HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        answer = await client.read_to_end()
        self.assertTrue(answer.startswith(b"HTTP/1.1 404"), answer[:60])


class Actors(AdminCase):
    async def all_pages(self, prefix="", limit=3):
        """Every path, a page at a time."""
        paths, after = [], ""
        while True:
            page = await self.get_json(
                f"/actors?prefix={quoted(prefix)}&limit={limit}"
                f"&after={quoted(after)}"
            )
            self.assertLessEqual(len(page["actors"]), limit)
            paths += [a["path"] for a in page["actors"]]
            if not page.get("next"):
                return paths
            after = page["next"]

    async def test_inboxes_and_sessions_are_actors(self):
        alice = await self.user("alice")
        self.assert_ok(await alice.post({alice.uid: 1}))
        paths = await self.all_pages(limit=1000)
        about_alice = [p for p in paths if alice.uid in p]
        self.assertTrue(about_alice, paths)
        for path in about_alice:
            self.assertTrue(path.startswith("/"), path)
            actor = await self.get_json("/actors" + path)
            self.assertEqual(actor["path"], path)
            self.assertIn("state", actor)
            self.assert_is_described(actor)

    def assert_is_described(self, actor):
        for field in ("loop", "mailbox", "dropped", "age_ms"):
            self.assertIsInstance(actor[field], int, actor)
        # Nobody has published what a courier would queue, or a key, or come
        # by MQTT.
        least = 0 if actor["kind"] in ("courier", "desk", "keys") else 1
        self.assertGreaterEqual(actor["handled"], least, actor)
        self.assertEqual(actor["last_error"], "")

    async def test_one_actor_says_what_the_list_says(self):
        alias = self.name("alias")
        alice = await self.user("described", aliases=alias)
        team = self.name("list")
        self.assert_ok(await alice.edit_list(team, "invite", alias))
        self.assert_ok(await alice.post({team: 2}))
        page = await self.get_json("/actors?limit=1000")
        listed = {a["path"]: a for a in page["actors"]}
        kinds = {a["kind"] for a in listed.values()}
        self.assertLessEqual(
            {"directory", "shard", "inbox", "session", "list", "operator"},
            kinds,
        )
        for path, seen in listed.items():
            actor = await self.get_json("/actors" + path)
            self.assertEqual(actor["kind"], seen["kind"], path)
            self.assertEqual(actor["loop"], seen["loop"], path)
            self.assert_is_described(actor)
            self.assertGreaterEqual(actor["handled"], seen["handled"], path)

    async def test_pages_are_whole_and_in_order(self):
        for _ in range(10):
            alice = await self.user("paged")
            self.assert_ok(await alice.post({alice.uid: 1}))
        everything = await self.all_pages(limit=10_000)
        # In no order, but each once.
        self.assertEqual(len(everything), len(set(everything)))
        self.assertEqual(
            set(await self.all_pages(limit=3)), set(everything)
        )

    async def test_prefix_chooses(self):
        alice = await self.user("alice")
        path = next(
            p for p in await self.all_pages(limit=1000) if alice.uid in p
        )
        top = "/" + path.split("/")[1]
        chosen = await self.all_pages(prefix=top)
        self.assertIn(path, chosen)
        self.assertTrue(all(p.startswith(top) for p in chosen))

    async def test_unknown_actor(self):
        answer = await self.ask("GET", "/actors/no/such/actor")
        self.assertEqual(answer.status, 404)

    async def test_bad_questions(self):
        for query in ("limit=0", "limit=x", "limit=-1"):
            answer = await self.ask("GET", "/actors?" + query)
            self.assertEqual(answer.status, 400, query)

    async def test_sessions(self):
        users = [
            await self.user("seen", transport=transport)
            for transport in Transport
        ]
        sessions = (await self.get_json("/sessions"))["sessions"]
        found = {s["uid"]: s for s in sessions if "uid" in s}
        for user in users:
            session = found[user.uid]
            self.assertTrue(session["protocol"].startswith("mq"))
            self.assertIn("127.0.0.1", session["address"])
            # A device's name is its credential.
            self.assertNotIn('"n0"', str(session))
        for user in users:
            await user.close()

        def gone():
            text = self.node.get("/sessions").text
            return all(user.uid not in text for user in users)

        await eventually(gone)


class Users(AdminCase):
    async def test_create_show_remove(self):
        uid, alias = self.name("made"), self.name("al")
        answer = await self.ask(
            "POST", "/users", {"uid": uid, "device": "n0", "aliases": [alias]}
        )
        self.assertEqual(answer.status, 201, answer.body)
        shown = await self.get_json("/users/" + quoted(uid))
        self.assertEqual(shown["uid"], uid)
        self.assertEqual(shown["aliases"], [alias])
        self.assertEqual(len(shown["devices"]), 1)
        self.assertEqual(shown["devices"][0]["offset"], 0)
        client = await self.connect()
        await client.login(uid, "n0")
        again = await self.ask(
            "POST", "/users", {"uid": uid, "device": "n0", "aliases": []}
        )
        self.assertEqual(again.status, 409)
        removed = await self.ask("DELETE", "/users/" + quoted(uid))
        self.assertIn(removed.status, (200, 204))
        self.assertEqual(
            (await self.ask("GET", "/users/" + quoted(uid))).status, 404
        )
        self.assertEqual(
            (await self.ask("DELETE", "/users/" + quoted(uid))).status, 404
        )

    async def test_removed_user_leaves_nothing_to_a_successor(self):
        alice = await self.user("alice")
        bob = await self.user("bob", login=False)
        self.assert_ok(await alice.post({bob.uid: 1}, b"for the old bob"))
        await self.ask("DELETE", "/users/" + quoted(bob.uid))
        new = await self.connect()
        answer = await new.register(bob.uid, "n0")
        self.assertIsNone(answer.get("error"))
        await new.login(bob.uid, "n0")
        await self.assert_next_is_marker(alice, new)

    async def test_odd_names_in_paths(self):
        for stem in ("a/b", "a?b", "\u4e2d\u6587", "a b", "%41"):
            uid = stem + self.name("-")
            answer = await self.ask(
                "POST", "/users", {"uid": uid, "device": "d", "aliases": []}
            )
            if answer.status == 400:
                continue  # names may be restricted
            shown = await self.get_json("/users/" + quoted(uid))
            self.assertEqual(shown["uid"], uid)

    async def test_bad_requests(self):
        for body in (b"{", b"[]", b'{"uid":7,"device":"n0"}', b"{}"):
            answer = await self.ask("POST", "/users", body)
            self.assertEqual(answer.status, 400, body)

    async def test_users_come_in_pages(self):
        uids = sorted([self.name("page") for _ in range(5)])
        for uid in uids:
            await self.ask(
                "POST", "/users", {"uid": uid, "device": "n0", "aliases": []}
            )
        seen, after = [], ""
        while True:
            page = await self.get_json(
                f"/users?prefix=page&limit=2&after={quoted(after)}"
            )
            seen += [u["uid"] for u in page["users"]]
            if len(page["users"]) < 2:
                break
            after = seen[-1]
        self.assertEqual(seen, uids)

    async def test_lists(self):
        alice = await self.user("alice")
        alias = self.name("bobby")
        bob = await self.user("bob", aliases=alias)
        name = self.name("list")
        self.assert_ok(await alice.edit_list(name, "invite", alias))
        lists = await self.get_json("/lists")
        self.assertIn(name, [each["name"] for each in lists["lists"]])
        shown = await self.get_json("/lists/" + quoted(name))
        members = {m["uid"]: m for m in shown["members"]}
        self.assertEqual(set(members), {alice.uid, bob.uid})
        self.assertEqual(members[bob.uid]["invited_as"], alias)
        self.assertIsNone(members[alice.uid].get("invited_as"))
        self.assertEqual(
            (await self.ask("GET", "/lists/" + self.name("no"))).status, 404
        )

    async def test_lists_and_their_members_come_in_pages(self):
        alice = await self.user("alice")
        names = [self.name("paged") for _ in range(3)]
        for name in names:
            self.assert_ok(await alice.edit_list(name, "add", alice.uid))
        uids = [alice.uid]
        for _ in range(4):
            uids.append((await self.user("member", login=False)).uid)
            self.assert_ok(await alice.edit_list(names[0], "add", uids[-1]))

        async def pages(path, rows, key):
            seen, after = [], ""
            while after is not None:
                page = await self.get_json(
                    f"{path}?limit=2&after={quoted(after)}"
                )
                self.assertLessEqual(len(page[rows]), 2)
                seen += [row[key] for row in page[rows]]
                after = page["next"]
            return seen

        self.assertEqual(
            await pages("/lists/" + quoted(names[0]), "members", "uid"),
            sorted(uids),
        )
        lists = await pages("/lists", "lists", "name")
        self.assertEqual(lists, sorted(lists))
        self.assertLessEqual(set(names), set(lists))
        for wrong in ("0", "10001", "x"):
            for path in ("/lists", "/lists/" + quoted(names[0])):
                answer = await self.ask("GET", f"{path}?limit={wrong}")
                self.assertEqual(answer.status, 400, path)


class Unseen(AdminCase):
    async def inactive(self, unseen_for_ms, limit=2):
        """Pages of devices that were not seen for so long."""
        pages, after = [], ""
        while True:
            page = await self.get_json(
                f"/users/inactive?unseen_for_ms={unseen_for_ms}"
                f"&limit={limit}&after={quoted(after)}"
            )
            pages.append([(u["uid"], u["device"]) for u in page["users"]])
            after = page["next"]
            if after is None:
                return pages

    async def test_who_was_not_seen_is_listed_in_pages_and_purged(self):
        users = [await self.user("gone", login=False) for _ in range(5)]
        second = await self.device(users[0], "tablet", login=False)
        await second.close()
        expected = {(u.uid, 0) for u in users} | {(users[0].uid, 1)}
        # Seen before this very millisecond.
        await eventually(lambda: self.node.get_json(
            "/users/inactive?unseen_for_ms=0"
        )["users"][len(expected) - 1:])
        pages = await self.inactive(0)
        listed = [device for page in pages for device in page]
        self.assertEqual(set(listed), expected)
        self.assertEqual(len(listed), len(expected))
        self.assertGreater(len(pages), 2)
        self.assertEqual(await self.inactive(3_600_000), [[]])
        for bad in ("unseen_for_ms=soon", "unseen_for_ms=1&limit=0",
                    "unseen_for_ms=1&after=x", ""):
            answer = await self.ask("GET", "/users/inactive?" + bad)
            self.assertEqual(answer.status, 400, bad)

        answer = await self.ask(
            "POST", "/users/purge", {"unseen_for_ms": 3_600_000}
        )
        self.assertEqual(answer.json, {"users": [], "more": False})
        answer = await self.ask("POST", "/users/purge", {"unseen_for_ms": 0})
        self.assertFalse(answer.json["more"])
        self.assertEqual(
            {u["uid"] for u in answer.json["users"]}, {u.uid for u in users}
        )
        self.assertEqual(await self.inactive(0), [[]])


class Mqreg(AdminCase):
    registry = {
        "uid": {
            "ann": {"nodes": {"desk": 0, "phone": 3}, "aliases": ["a1", "a2"]},
            "Ben": {"nodes": {"n0": 0}, "aliases": []},
            "cy": {"nodes": {"n0": 0}, "aliases": ["c1"]},
        },
        "alias": {"a1": "ann", "a2": "ann", "c1": "cy"},
        "list": {"team": {"ann": 1, "Ben": 1, "cy": "c1"}},
    }

    async def test_import_then_export(self):
        answer = await self.ask("POST", "/users/import", self.registry)
        self.assertEqual(answer.status, 200, answer.body)
        exported = await self.get_json("/users/export")
        self.assertEqual(exported, self.registry)
        # Once more changes nothing.
        await self.ask("POST", "/users/import", self.registry)
        self.assertEqual(
            await self.get_json("/users/export"), self.registry
        )
        phone = await self.connect()
        await phone.login("ann", "phone")
        ben = await self.connect()
        await ben.login("Ben", "n0")
        self.assert_ok(await ben.ping("a2", b"hello"))
        self.assertEqual((await phone.take()).data, b"hello")
        # Devices get offsets that are free.
        added = await phone.add_node("ann", "new", "desk")
        self.assertIn(added["offset"], (1, 4))
        # cy is invited: may post, gets nothing.
        cy = await self.connect()
        await cy.login("cy", "n0")
        self.assert_ok(await cy.post({"team": 2}, b"from cy"))
        self.assertEqual((await phone.take()).data, b"from cy")
        self.assertEqual((await ben.take()).data, b"from cy")
        self.assert_ok(await ben.post({"team": 2}, b"from ben"))
        self.assertEqual((await phone.take()).data, b"from ben")
        await self.assert_next_is_marker(ben, cy)

    async def test_import_of_nonsense(self):
        for body in (b"", b"{", b"[]", b'{"uid":{"x":{"nodes":{"n":100}}}}'):
            answer = await self.ask("POST", "/users/import", body)
            self.assertEqual(answer.status, 400, body)


class Token(AdminCase):
    settings = {"admin.token": TOKEN}

    async def test_everything_but_liveness_asks_for_the_token(self):
        await self.user("alice")
        for path in (
            "/metrics", "/actors", "/sessions", "/users", "/users/export",
            "/lists",
        ):
            for headers in (
                {},
                {"Authorization": "Bearer " + TOKEN[:-1]},
                {"Authorization": "Bearer " + TOKEN + "x"},
                {"Authorization": TOKEN},
            ):
                answer = await self.ask("GET", path, headers=headers)
                self.assertEqual(answer.status, 401, (path, headers))
                self.assertIn("www-authenticate", answer.headers)
            answer = await self.ask(
                "GET", path, headers={"Authorization": "Bearer " + TOKEN}
            )
            self.assertEqual(answer.status, 200, path)
        answer = await self.ask("DELETE", "/users/alice")
        self.assertEqual(answer.status, 401)
        for path in ("/livez", "/readyz"):
            self.assertEqual((await self.ask("GET", path)).status, 200)

    async def test_token_is_not_in_the_log(self):
        await self.ask("GET", "/actors", headers={"Authorization": TOKEN})
        self.assertNotIn(TOKEN, self.node.log())


if __name__ == "__main__":
    unittest.main()
