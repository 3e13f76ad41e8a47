# SPDX-License-Identifier: Apache-2.0
"""Distribution lists (WMQ-14)."""

import datetime
import unittest

from tests.integration.mq_case import MqCase
from tests.integration.mq_client import Transport


class ListRows:
    def check_edit(self, message, author, name, op, **more):
        """A listEdited; its etc has exactly these fields, in this order."""
        self.assertEqual(message.op, "listEdited")
        self.assertEqual(message["from"], author.uid)
        self.assertEqual(message.data, b"")
        etc = message.etc_json
        self.assertEqual(list(etc), ["list", "op", "date", *more])
        date = etc.pop("date")
        self.assertEqual(etc, {"list": name, "op": op, **more})
        self.assertRegex(date, r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
        told = datetime.datetime.fromisoformat(date)
        now = datetime.datetime.now(datetime.timezone.utc)
        self.assertLess(abs(now - told), datetime.timedelta(minutes=5))

    async def edited(self, name, author, op, *devices, **more):
        """Each device takes its listEdited."""
        for device in devices:
            message = await device.take("listEdited")
            self.check_edit(message, author, name, op, **more)

    async def users(self):
        """alice, bob with the alias returned last, carol."""
        alias = self.name("bobby")
        alice = await self.user("alice")
        bob = await self.user("bob", aliases=alias)
        carol = await self.user("carol")
        return alice, bob, carol, alias

    async def test_wmq_14_add_creates_the_list(self):
        alice, bob, carol, _ = await self.users()
        second = await self.device(alice, "n1")
        name = self.name("list")
        await alice.send(
            "listEdit", id="L1", to=name, type="add", member=carol.uid
        )
        message = await alice.receive()
        self.check_edit(message, alice, name, "add", uid=carol.uid)
        ack = await alice.receive()
        self.assertEqual((ack.op, ack["id"]), ("ack", "L1"))
        self.assert_ok(ack)
        await alice.acknowledge(message)
        await self.edited(name, alice, "add", second, carol, uid=carol.uid)
        # The caller is a member now.
        self.assert_ok(await carol.post({name: 2}, b"hello"))
        self.assertEqual((await alice.take()).data, b"hello")
        self.assertEqual((await second.take()).data, b"hello")
        await self.assert_next_is_marker(alice, bob, carol)

    async def test_wmq_14_add_tells_members_and_caller(self):
        alice, bob, carol, _ = await self.users()
        name = self.name("list")
        self.assert_ok(await alice.edit_list(name, "add", bob.uid))
        await self.edited(name, alice, "add", alice, bob, uid=bob.uid)
        # Any member may add.
        self.assert_ok(await bob.edit_list(name, "add", carol.uid))
        await self.edited(
            name, bob, "add", alice, bob, carol, uid=carol.uid
        )

    async def test_wmq_14_invitation_and_acceptance(self):
        alice, bob, carol, alias = await self.users()
        name = self.name("list")
        self.assert_ok(await alice.edit_list(name, "add", carol.uid))
        await self.edited(name, alice, "add", alice, carol, uid=carol.uid)
        alice1 = await self.device(alice, "n1")
        self.assert_ok(
            await alice.edit_list(
                name, "invite", alias, b"please", etc={"subject": "join us"}
            )
        )
        invitation = await bob.take()
        self.assertEqual(invitation["from"], alice.uid)
        self.assertEqual(invitation.data, b"please")
        self.assertEqual(invitation.etc_json, {"subject": "join us"})
        # No copy of the invitation to the caller's own devices.
        await self.edited(
            name, alice, "invite", alice, alice1, carol, alias=alias
        )
        # Invited: no list mail yet, but may post.
        self.assert_ok(await carol.post({name: 2}, b"members only"))
        for device in (alice, alice1):
            self.assertEqual((await device.take()).data, b"members only")
        self.assert_ok(await bob.post({name: 2}, b"from the invited"))
        for device in (alice, alice1, carol):
            self.assertEqual((await device.take()).data, b"from the invited")
        self.assert_ok(await bob.edit_list(name, "add", bob.uid))
        await self.edited(
            name, bob, "add", alice, alice1, carol, bob,
            uid=bob.uid, alias=alias,
        )
        self.assert_ok(await carol.post({name: 2}, b"all"))
        for device in (alice, alice1, bob):
            self.assertEqual((await device.take()).data, b"all")

    async def test_wmq_14_invite_creates_the_list(self):
        alice, bob, _, alias = await self.users()
        name = self.name("list")
        self.assert_ok(await alice.edit_list(name, "invite", alias))
        invitation = await bob.take()
        self.assertEqual((invitation.etc, invitation.data), (None, b""))
        await self.edited(name, alice, "invite", alice, alias=alias)
        # Invited users may edit, and are told of their own edits.
        carol = await self.user("carol")
        self.assert_ok(await bob.edit_list(name, "add", carol.uid))
        await self.edited(name, bob, "add", alice, bob, carol, uid=carol.uid)

    async def test_wmq_14_remove(self):
        alice, bob, carol, _ = await self.users()
        name = self.name("list")
        for member in (bob, carol):
            self.assert_ok(await alice.edit_list(name, "add", member.uid))
            await alice.take("listEdited")
            await bob.take("listEdited")
        await carol.take("listEdited")
        self.assert_ok(await bob.edit_list(name, "remove", carol.uid))
        await self.edited(name, bob, "remove", alice, bob, uid=carol.uid)
        self.assert_ok(await alice.post({name: 2}, b"two left"))
        self.assertEqual((await bob.take()).data, b"two left")
        self.assert_ok(
            await carol.post({name: 2}), f"uid {carol.uid} not found"
        )
        await self.assert_next_is_marker(alice, carol)

    async def test_wmq_14_remove_oneself(self):
        alice, bob, _, _ = await self.users()
        name = self.name("list")
        self.assert_ok(await alice.edit_list(name, "add", bob.uid))
        await self.edited(name, alice, "add", alice, bob, uid=bob.uid)
        ack = await bob.edit_list(name, "remove", bob.uid)
        self.assertEqual(ack["type"], "ok")
        self.assertIn(ack.get("error"), (None, f"uid {bob.uid} not found"))
        # The last one takes the list along, and its name is free again.
        ack = await alice.edit_list(name, "remove", alice.uid)
        self.assertEqual(ack["type"], "ok")
        self.assertIn(ack.get("error"), (None, f"list {name} not found"))
        self.assert_error(
            await alice.edit_list(name, "remove", bob.uid),
            f"listRemove list {name} not found",
        )
        carol = await self.user("carol")
        self.assert_ok(await carol.edit_list(name, "add", carol.uid))
        await self.edited(name, carol, "add", carol, uid=carol.uid)

    async def test_wmq_14_error_texts(self):
        alice, bob, carol, alias = await self.users()
        name, ghost = self.name("list"), self.name("ghost")
        self.assert_ok(await alice.edit_list(name, "add", alice.uid))
        await alice.take("listEdited")
        self.assert_error(
            await bob.edit_list(name, "add", bob.uid),
            f"listAdd list {name} by {bob.uid} not found",
        )
        self.assert_error(
            await alice.edit_list(name, "add", ghost),
            f"listAdd list {name} member {ghost} not found",
        )
        self.assert_error(
            await alice.edit_list(name, "invite", ghost),
            f"listInvite list {name} member {ghost} not found",
        )
        missing = self.name("nolist")
        self.assert_error(
            await alice.edit_list(missing, "remove", bob.uid),
            f"listRemove list {missing} not found",
        )
        self.assert_error(
            await alice.edit_list(name, "rename", bob.uid),
            "invalid listEdit type: rename",
        )
        # A failed edit tells nobody, and a list it would create is not there.
        await self.assert_next_is_marker(carol, alice, bob)

    async def test_wmq_14_edit_waits_in_the_queue_of_the_absent(self):
        alice, bob, _, _ = await self.users()
        name = self.name("list")
        await bob.close()
        self.assert_ok(await alice.edit_list(name, "add", bob.uid))
        bob = await self.again(bob)
        await self.edited(name, alice, "add", bob, alice, uid=bob.uid)


class ListsOverDraft(ListRows, MqCase):
    pass


class ListsOverWebSocket(ListRows, MqCase):
    transport = Transport.WEBSOCKET


if __name__ == "__main__":
    unittest.main()
