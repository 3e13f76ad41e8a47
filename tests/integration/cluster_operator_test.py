# SPDX-License-Identifier: Apache-2.0
"""What an operator does to a running cluster: a lost node is replaced, by hand
and by itself; a drained one sends its clients away and takes them again."""

import asyncio
import time
import unittest

from tests.integration.cluster_harness import SHARDS, ClusterCase, Refused, until
from tests.integration.mq_client import MqClient, Transport


class Replacement(ClusterCase):
    async def test_a_new_node_takes_the_seats_of_a_lost_one(self):
        cluster = self.cluster()
        first = cluster.found(["n2", "n3"])
        await asyncio.to_thread(cluster.settled, {1, 2, 3})
        users = [f"u{i}" for i in range(2 * SHARDS)]
        for uid in users:
            await self.register(first, uid)
        poster = await self.login_at(first, users[0])
        for uid in users[1:]:
            await poster.post({uid: 1}, b"kept " + uid.encode())
        poster.vanish()
        names = {
            await asyncio.to_thread(cluster.number_of, n): n
            for n in cluster.running()
        }
        lost = max(names)
        await asyncio.to_thread(names[lost].kill)

        async def run(*arguments):
            return await asyncio.to_thread(cluster.run, first, *arguments)

        await asyncio.to_thread(
            until,
            lambda: not cluster.rows(first)[lost]["linked"],
            "a dead node is linked",
        )
        for arguments, why in (
            ((1, lost), "is not connected"),
            ((lost, 9), "node 9 is not known"),
            ((8, 1), "node 8 is not known"),
            ((1, 1), "can't replace itself"),
        ):
            with self.assertRaisesRegex(Refused, why):
                await run("node", "replace", *map(str, arguments))

        fourth = cluster.node("n4", join=[first])
        await asyncio.to_thread(fourth.start)
        await asyncio.to_thread(
            until,
            lambda: cluster.rows(first)[4]["state"] == "member",
            "node 4 is no member",
        )
        said = await run("node", "replace", str(lost), "4")
        self.assertIn(f"whole without node {lost}", said)
        stay = {1, 2, 3, 4} - {lost}
        with self.assertRaisesRegex(Refused, "is not connected|is no member"):
            await run("node", "replace", "1", str(lost))
        for node in cluster.running():
            for group in cluster.shards(node)[1:]:
                self.assertEqual(set(group["placement"]), stay, group)
        self.assertTrue(
            all(
                set(g["voters"]) == stay
                for g in cluster.shards(first)[1:]
                if g["leader"] == cluster.number_of(first)
            )
        )
        self.assertEqual(cluster.rows(first)[lost]["state"], "draining")
        for uid in users[1:]:
            await self.read(cluster, uid, {f"kept {uid}"})
        await run("node", "remove", str(lost))
        with self.assertRaisesRegex(Refused, "was removed"):
            await run("node", "replace", str(lost), "4")

    async def test_a_node_gone_for_long_is_replaced_until_it_is_back(self):
        cluster = self.cluster()
        settings = {"cluster__replace_after": "4s"}
        first = cluster.node("n1", **settings).start()
        for name in ("n2", "n3", "n4"):
            cluster.node(name, join=[first], **settings).spawn()
        for name in ("n2", "n3", "n4"):
            await asyncio.to_thread(cluster.nodes[name].wait_ready)

        def four():
            rows = cluster.rows(first)
            return len(rows) == 4 and all(
                r["state"] == "member" for r in rows.values()
            )

        await asyncio.to_thread(until, four, "not four members")
        victim = cluster.nodes["n4"]
        number = await asyncio.to_thread(cluster.number_of, victim)
        await asyncio.to_thread(victim.kill)

        def given_away():
            return cluster.rows(first)[number]["state"] == "absent" and all(
                number not in g["voters"] + g["placement"]
                for g in cluster.shards(first)[1:]
            )

        await asyncio.to_thread(until, given_away, "still has its share")
        self.assertIn("cluster.replace_after", "\n".join(
            node.log() for node in cluster.running()
        ))  # fmt: skip
        with self.assertRaisesRegex(Refused, "absent"):
            await asyncio.to_thread(
                cluster.run, first, "node", "undrain", str(number)
            )
        await asyncio.to_thread(victim.start)

        def back():
            row = cluster.rows(first)[number]
            return row["state"] == "member" and row["groups"] > 1

        await asyncio.to_thread(until, back, "has no share again")


class Draining(ClusterCase):
    async def test_clients_are_sent_away_and_may_come_back(self):
        await self.drain_and_take_back()

    async def test_workers_send_their_clients_away_too(self):
        second = await self.drain_and_take_back(workers__count=2)
        rows = second.get_json("/workers")["workers"]
        # None of them had to be replaced for that.
        self.assertEqual([w["restarts"] for w in rows], [0, 0])

    async def drain_and_take_back(self, **more):
        cluster = self.cluster()
        spread = {"cluster__drain_spread": "2s"}
        first = cluster.node("n1", **spread).start()
        second = cluster.node("n2", join=[first], **spread, **more).start()
        await asyncio.to_thread(cluster.settled, {1, 2})
        users = [f"u{i}" for i in range(30)]
        for uid in users:
            await self.register(first, uid)
        clients = []
        for i, uid in enumerate(users):
            transport = Transport.WEBSOCKET if i % 2 else Transport.DRAFT
            client = await MqClient.connect(second.address(), transport)
            self.addCleanup(client.vanish)
            await client.login(uid, "n0")
            clients.append((transport, client))
        if more:  # it is they who keep the connections

            def kept():  # what they report is half a second old
                rows = second.get_json("/workers")["workers"]
                return sum(w["connections"] for w in rows) == len(users)

            await asyncio.to_thread(until, kept, "workers keep others")

        async def end_of(transport, client):
            if transport is Transport.DRAFT:
                said = await client.read_to_end()
                self.assertTrue(said.endswith(b"\x81\x00"), said)
            else:
                self.assertEqual(await client.expect_end(), 1012)
            return time.monotonic()

        ends = [asyncio.create_task(end_of(*each)) for each in clients]
        began = time.monotonic()
        number = str(await asyncio.to_thread(cluster.number_of, second))
        await asyncio.to_thread(
            cluster.run, first, "node", "drain", number, "--wait"
        )
        for group in cluster.shards(first)[1:]:
            self.assertEqual(group["voters"], [1], group)
        moments = sorted([await each - began for each in ends])
        # Not all at once, and not for ever.
        self.assertGreater(moments[-1] - moments[0], 0.5, moments)

        # It refuses who comes, says so, and the other one takes them all.
        self.assertIn("draining", second.get("/readyz").text)
        late = await self.connect(second)
        await late.send("login", userId=users[0], nodeId="n0")
        self.assertEqual(await late.read_to_end(), b"\x81\x00")
        self.assertGreater(
            second.metrics()["troupe_logins_sent_away_total"], 0
        )
        for uid in users:
            client = await self.login_at(first, uid)
            client.vanish()

        # And back.
        await asyncio.to_thread(
            cluster.run, first, "node", "undrain", number, "--wait"
        )
        await asyncio.to_thread(cluster.settled, {1, 2})
        for uid in users[:4]:
            client = await self.login_at(second, uid)
            ack = await client.post({uid: 1}, b"here again")
            self.assertIsNone(ack.get("error"), ack)
            client.vanish()
        return second

    async def test_after_undrain_waits_any_one_node_may_be_lost(self):
        cluster = self.cluster()
        first = cluster.found(["n2", "n3"])
        await asyncio.to_thread(cluster.settled, {1, 2, 3})
        await self.register(first, "anna")
        drained = cluster.nodes["n3"]
        number = await asyncio.to_thread(cluster.number_of, drained)
        for _ in range(3):
            await asyncio.to_thread(
                cluster.run, first, "node", "drain", str(number), "--wait"
            )
            for group in cluster.shards(first)[1:]:
                self.assertEqual(len(group["voters"]), 2, group)
            said = await asyncio.to_thread(
                cluster.run, first, "node", "undrain", str(number), "--wait"
            )
            self.assertIn("has its share", said)
            for node in cluster.running():
                for group in cluster.shards(node):
                    self.assertEqual(set(group["voters"]), {1, 2, 3}, group)
        # One of the two that stayed: what was left would be no majority.
        await asyncio.to_thread(cluster.nodes["n2"].kill)
        client = await self.login_at(first, "anna")
        ack = await client.post({"anna": 1}, b"still here")
        self.assertIsNone(ack.get("error"), ack)
        await self.register(drained, "bert")


if __name__ == "__main__":
    unittest.main()
