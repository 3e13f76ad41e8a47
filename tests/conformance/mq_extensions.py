# SPDX-License-Identifier: Apache-2.0
"""What Troupe adds to websocket.MQ (docs/protocols/mq.md, Extensions), and
that clients who do not ask for it see none of it."""

import asyncio
import time
import unittest

from tests.integration.mq_case import MqCase
from tests.integration.mq_client import Transport


class ExtensionRows:
    async def log_in(self, client, **more):
        """(connection, info) of a device that asks for more."""
        fresh = await self.connect()
        await fresh.send(
            "login", userId=client.uid, nodeId=client.device, **more
        )
        info = await fresh.expect("info")
        self.assertEqual(info["info"], "ok login")
        fresh.uid, fresh.device = client.uid, client.device
        return fresh, info

    async def queued(self, count, **more):
        """alice, and a bob who is away while that many posts wait."""
        alice = await self.user("alice")
        bob = await self.user("bob", login=False)
        for n in range(count):
            self.assert_ok(
                await alice.post({bob.uid: 1}, b"%d" % n, **more)
            )
        return alice, bob

    async def test_plain_login_shows_nothing_new(self):
        alice, bob = await self.queued(1, ttl=3600)
        bob, info = await self.log_in(bob)
        self.assertEqual(info.header, {"op": "info", "info": "ok login"})
        message = await bob.take()
        self.assertEqual(set(message.header), {"op", "id", "from"})
        await self.assert_next_is_marker(alice, bob)

    async def test_window_of_deliveries(self):
        _, bob = await self.queued(30)
        bob, info = await self.log_in(bob, window=10)
        self.assertEqual(info["window"], 10)
        first = [await bob.receive() for _ in range(10)]
        self.assertEqual(
            [m.data for m in first], [b"%d" % n for n in range(10)]
        )
        positions = [m["seq"] for m in first]
        self.assertEqual(positions, sorted(set(positions)))
        self.assertGreater(positions[0], info["position"])
        # An answer to a request overtakes what the window holds back.
        self.assert_error(
            await bob.post({}, noNodes=1), "msg lacks recipients"
        )
        self.assertEqual(bob.kept(), [])
        # One ack stands for all before it.
        await bob.acknowledge(first[6])
        more = [await bob.receive() for _ in range(7)]
        self.assertEqual(
            [m.data for m in more], [b"%d" % n for n in range(10, 17)]
        )
        await bob.close()
        bob = await self.again(bob)
        self.assertEqual((await bob.take()).data, b"7")

    async def test_window_is_granted_up_to_a_bound(self):
        _, bob = await self.queued(0)
        _, info = await self.log_in(bob, window=1_000_000)
        self.assertEqual(info["window"], 1024)

    async def test_resume_recovers(self):
        _, bob = await self.queued(5)
        bob, info = await self.log_in(bob, resume=0)
        self.assertEqual(info["resume"], "recovered")
        first = await bob.take()
        second = await bob.expect("deliver")
        await bob.close()
        bob, info = await self.log_in(bob, resume=first["seq"])
        self.assertEqual(info["resume"], "recovered")
        again = await bob.expect("deliver")
        self.assertEqual(
            (again["id"], again["seq"]), (second["id"], second["seq"])
        )

    async def test_resume_tells_of_a_gap(self):
        _, bob = await self.queued(5)
        bob, _ = await self.log_in(bob, window=5)
        messages = [await bob.receive() for _ in range(5)]
        await bob.acknowledge(messages[3])
        await bob.close()
        # This client has forgotten what it acknowledged.
        bob, info = await self.log_in(bob, resume=messages[0]["seq"])
        self.assertEqual(info["resume"], "gap")
        self.assertEqual((await bob.take()).data, b"4")

    async def test_dedup_by_login(self):
        _, bob = await self.queued(0)
        alice = await self.user("alice", login=False)
        alice, _ = await self.log_in(alice, dedup=True)
        for _ in range(3):
            self.assert_ok(await alice.post({bob.uid: 1}, b"once", id="k1"))
        # The id also holds on the next connection, and after a crash.
        await alice.close()
        alice, _ = await self.log_in(alice, dedup=True)
        self.assert_ok(await alice.post({bob.uid: 1}, b"once", id="k1"))
        await asyncio.to_thread(self.node.kill)
        await asyncio.to_thread(self.node.start)
        alice, _ = await self.log_in(alice, dedup=True)
        self.assert_ok(await alice.post({bob.uid: 1}, b"once", id="k1"))
        self.assert_ok(
            await alice.post({bob.uid: 1}, b"off", id="k1", dedup=False)
        )
        bob = await self.again(bob)
        self.assertEqual((await bob.take()).data, b"once")
        self.assertEqual((await bob.take()).data, b"off")
        await self.assert_next_is_marker(alice, bob)

    async def test_dedup_by_post(self):
        _, bob = await self.queued(0)
        alice = await self.user("alice")
        carol = await self.user("carol")
        for n in range(3):
            self.assert_ok(
                await alice.post({bob.uid: 1}, b"key", id=str(n), dedup="k")
            )
            self.assert_ok(
                await alice.post({bob.uid: 1}, b"id", id="same", dedup=True)
            )
        # Another user's keys are his own.
        self.assert_ok(await carol.post({bob.uid: 1}, b"other", dedup="k"))
        bob = await self.again(bob)
        self.assertEqual(
            [(await bob.take()).data for _ in range(3)],
            [b"key", b"id", b"other"],
        )
        await self.assert_next_is_marker(alice, bob)

    async def test_dedup_covers_a_lost_answer(self):
        """The case it is for: posted, the answer lost with the node."""
        _, bob = await self.queued(0)
        alice = await self.user("alice")
        await alice.send(
            "post", data=b"once", id="1", to={bob.uid: 1}, dedup="lost"
        )
        await asyncio.to_thread(self.node.kill)
        await asyncio.to_thread(self.node.start)
        alice = await self.again(alice)
        self.assert_ok(
            await alice.post({bob.uid: 1}, b"once", id="1", dedup="lost")
        )
        bob = await self.again(bob)
        self.assertEqual((await bob.take()).data, b"once")
        await self.assert_next_is_marker(alice, bob)

    async def test_time_to_live(self):
        alice, bob = await self.queued(0)
        self.assert_ok(await alice.post({bob.uid: 1}, b"late", ttl=0.2))
        begin = time.time()
        self.assert_ok(await alice.post({bob.uid: 1}, b"in time", ttl=3600))
        await asyncio.sleep(0.5)  # the life of the first one
        bob, _ = await self.log_in(bob, window=2)
        message = await bob.take()
        self.assertEqual(message.data, b"in time")
        self.assertAlmostEqual(
            message["expires"] / 1000, begin + 3600, delta=60
        )
        await self.assert_next_is_marker(alice, bob)

    async def test_wrong_values_are_protocol_errors(self):
        bob = await self.user("bob", login=False)
        for field, value in (
            ("window", 0), ("window", "2"), ("window", 1.5),
            ("resume", -1), ("resume", "x"), ("dedup", 1),
        ):
            client = await self.connect()
            await client.send(
                "login", userId=bob.uid, nodeId="n0", **{field: value}
            )
            await client.expect_quit(f"login request invalid param {field}")
        for field, value in (("ttl", 0), ("ttl", "1"), ("dedup", "")):
            client = await self.user("alice")
            await client.send("post", id="1", to={}, **{field: value})
            await client.expect_quit(f"post request invalid param {field}")


class ExtensionsOverDraft(ExtensionRows, MqCase):
    pass


class ExtensionsOverWebSocket(ExtensionRows, MqCase):
    transport = Transport.WEBSOCKET


if __name__ == "__main__":
    unittest.main()
