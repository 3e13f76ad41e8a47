# SPDX-License-Identifier: Apache-2.0
"""The original's admin page, with the authentication it lacks (WMQ-21)."""

import asyncio
import re
import unittest
from html import unescape
from urllib.parse import quote

from tests.integration.mq_case import MqCase

TOKEN = "conformance-token"
BEARER = {"Authorization": "Bearer " + TOKEN}
PAGE = "/mq/admin"


class AdminPage(MqCase):
    settings = {"admin.token": TOKEN}

    async def get(self, headers=BEARER):
        return await asyncio.to_thread(self.node.get, PAGE, headers)

    async def remove(self, uid, headers=BEARER):
        return await asyncio.to_thread(
            self.node.request, "POST", f"{PAGE}?uid={quote(uid)}", None, headers
        )

    async def test_wmq_21_lists_aliases_sorted(self):
        names = [self.name(stem) for stem in ("zeta", "alpha", "mid")]
        uids = [(await self.user("user", aliases=n)).uid for n in names]
        answer = await self.get()
        self.assertEqual(answer.status, 200)
        self.assertTrue(
            answer.headers["content-type"].startswith("text/html")
        )
        text = unescape(answer.text)
        places = {}
        for name, uid in zip(names, uids):
            self.assertIn(uid, text)
            places[name] = text.index(name)
        self.assertEqual(sorted(places, key=places.get), sorted(names))
        self.assertRegex(text, re.compile("<form", re.IGNORECASE))

    async def test_wmq_21_removes_a_user(self):
        alias = self.name("alias")
        alice = await self.user("alice", login=False)
        bob = await self.user("bob", aliases=alias)
        answer = await self.remove(bob.uid)
        self.assertEqual(answer.status, 303)
        self.assertTrue(answer.headers["location"].startswith("/"))
        await alice.login(alice.uid, "n0")
        self.assert_ok(await alice.post({bob.uid: 1}), "userId unknown")
        self.assert_error(await alice.ping(alias), "alias not defined")
        page = await self.get()
        self.assertNotIn(bob.uid, unescape(page.text))

    async def test_wmq_21_unknown_user(self):
        answer = await self.remove(self.name("ghost"))
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.text.strip(), "Not found")

    async def test_wmq_21_asks_who_is_there(self):
        bob = await self.user("bob")
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            self.assertEqual((await self.get(headers)).status, 401)
            self.assertEqual((await self.remove(bob.uid, headers)).status, 401)
        self.assertIn(bob.uid, unescape((await self.get()).text))

    async def test_wmq_21_names_can_not_inject_markup(self):
        client = await self.connect()
        uid = self.name("<script>x</script>")
        answer = await client.register(uid, "n0", self.name("<b>"))
        page = await self.get()
        self.assertNotIn("<script>x", page.text)
        if "error" not in answer.header:
            self.assertIn(uid, unescape(page.text))


if __name__ == "__main__":
    unittest.main()
