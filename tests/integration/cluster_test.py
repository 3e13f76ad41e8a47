# SPDX-License-Identifier: Apache-2.0
"""Clusters of real nodes on 127.0.0.1: founding, joining, a lost node and one
that comes back, growing, shrinking, and who is not let in."""

import asyncio
import shutil
import unittest
from pathlib import Path

from tests.integration.cluster_harness import (
    DEADLINE,
    SHARDS,
    ClusterCase,
    Refused,
    until,
)
from tests.integration.tls_test import make_certificate

class Alone(ClusterCase):
    """Nodes without cluster.listen."""

    def alone(self, cluster, name):
        node = cluster.node(name)
        for key in ("cluster.listen", "cluster.secret_file"):
            del node.settings[key]
        return node

    async def test_has_no_part_of_a_cluster(self):
        node = self.alone(self.cluster(), "n1").start()
        self.assertNotIn("cluster", node.addresses)
        self.assertEqual(node.get_json("/nodes")["nodes"], [])
        self.assertEqual(node.get_json("/links")["links"], [])
        self.assertEqual(len(node.get_json("/shards")["shards"]), SHARDS + 1)
        for path in ("/rebalance", "/nodes/1/drain"):
            answer = node.request("POST", path, {})
            self.assertEqual(answer.status, 400, answer.body)
            self.assertIn("in no cluster", answer.text)
        threads = {
            (task / "comm").read_text().strip()
            for task in Path(f"/proc/{node.pid}/task").iterdir()
        }
        self.assertNotIn("troupe-spool", threads)
        self.assertFalse([t for t in threads if "multiplexer" in t], threads)
        self.assertFalse((node.data / "node-token").exists())

    async def test_becomes_the_first_of_a_cluster(self):
        cluster = self.cluster()
        node = self.alone(cluster, "n1").start()
        await self.register(node, "anna")
        anna = await self.login(cluster, "anna")
        for i in range(100):
            await anna.post({"anna": 1}, str(i).encode())
        anna.vanish()
        self.assertEqual(await asyncio.to_thread(node.stop), 0, node.log())

        node.settings["cluster.listen"] = "127.0.0.1:0"
        node.settings["cluster.secret_file"] = cluster.secret
        node.start()
        second = cluster.node("n2", join=[node]).start()
        await asyncio.to_thread(cluster.settled, {1, 2})
        self.assertEqual(
            second.get_json("/users/anna")["inbox"]["messages"], 100
        )
        await self.read(cluster, "anna", map(str, range(100)))

        # Members are not to be started alone.
        self.assertEqual(await asyncio.to_thread(second.stop), 0)
        for key in ("cluster.listen", "cluster.secret_file", "cluster.join"):
            del second.settings[key]
        self.assertIn(
            "belongs to node 2 of a cluster", self.refused_start(second)
        )


class Formation(ClusterCase):
    async def test_three_nodes_found_and_join(self):
        cluster = self.cluster()
        first = cluster.found(["n2", "n3"])
        await asyncio.to_thread(cluster.settled, {1, 2, 3})

        rows = cluster.rows()
        self.assertEqual(
            {r["name"] for r in rows.values()}, {"n1", "n2", "n3"}
        )
        for node in cluster.running():
            number = cluster.number_of(node)
            self.assertEqual(
                rows[number]["address"], node.addresses["cluster"]
            )
            self.assertEqual(
                node.get_json("/nodes")["cluster"],
                first.get_json("/nodes")["cluster"],
            )
            links = node.get_json("/links")["links"]
            self.assertEqual(
                {link["peer"] for link in links}, {1, 2, 3} - {number}
            )
            self.assertTrue(all(link["state"] == "up" for link in links))
            samples = node.metrics()
            self.assertEqual(samples["troupe_groups_without_leader"], 0)
            for link in links:
                self.assertEqual(
                    samples[f'troupe_link_up{{peer="{link["peer"]}"}}'], 1
                )

        # Each node is seen from each.
        for node in cluster.running():
            for number in (1, 2, 3):
                page = node.get_json(f"/nodes/{number}/actors?limit=1000")
                paths = {a["path"] for a in page["actors"]}
                self.assertIn("/directory", paths)
                shown = node.get_json(f"/nodes/{number}/actors/shards/1")
                self.assertEqual(shown["kind"], "shard")
            for path in ("/nodes/4/actors", "/nodes/2/nodes/3/actors"):
                self.assertEqual(node.get(path).status, 404, path)

        # Through one node, read where the inbox is led.
        users = [f"u{i}" for i in range(2 * SHARDS)]
        for uid in users:
            await self.register(first, uid)
        poster = await self.login(cluster, users[0])
        for uid in users[1:]:
            ack = await poster.post({uid: 1}, b"hello " + uid.encode())
            self.assertEqual(ack["type"], "ok", ack)
        for uid in users[1:]:
            await self.read(cluster, uid, {f"hello {uid}"})

        # Leaders go where they shall be.
        cluster.run(first, "rebalance")
        def balanced():
            return all(r["leads"] > 0 for r in cluster.rows().values())

        await asyncio.to_thread(until, balanced, "one node does not lead")
        self.assertIn("n2", cluster.run(first, "node", "list"))

    async def test_who_is_not_let_in(self):
        cluster = self.cluster()
        first = cluster.found(["n2"])
        await asyncio.to_thread(cluster.settled, {1, 2})

        wrong = cluster.root / "wrong"
        wrong.write_text("another secret of the tests\n")
        stranger = cluster.node(
            "stranger", join=[first], cluster__secret_file=wrong
        )
        self.assertIn("secret", self.refused_start(stranger))
        stranger.remove()

        # Nobody else may have the name.
        twin = cluster.node("twin", join=[first], node__name="n2")
        self.assertIn("name", self.refused_start(twin))

        # Emptied but for its identity: its votes are lost.
        second = cluster.nodes["n2"]
        self.assertEqual(second.stop(), 0, second.log())
        for name in ("log", "state", "spool"):
            shutil.rmtree(second.data / name, ignore_errors=True)
        (second.data / "log-was-begun").unlink()
        text = self.refused_start(second)
        self.assertIn("data of node 2 is gone", text)
        (second.data / "node-token").unlink()
        self.assertIn("only troupe.json is left", self.refused_start(second))

        # Of another cluster.
        other = cluster.node("other").start()
        self.assertEqual(other.stop(), 0)
        other.settings["cluster.join"] = first.addresses["cluster"]
        self.assertIn("cluster", self.refused_start(other))

        # Empty, it is somebody new; n2 is still missed, so this is a third.
        shutil.rmtree(second.data)
        second.settings["node.name"] = "n2b"
        second.settings["cluster.join"] = first.addresses["cluster"]
        second.spawn()
        second.wait_for_log("waiting to join the cluster")
        self.assertEqual(second.stop(), 0, second.log())

    @unittest.skipUnless(shutil.which("openssl"), "no openssl command")
    async def test_links_inside_tls(self):
        cluster = self.cluster()
        certificate, key = make_certificate(cluster.root, "node")
        tls = {
            "cluster__tls_certificate": certificate,
            "cluster__tls_key": key,
            "cluster__tls_ca": certificate,
        }
        first = cluster.node("n1", **tls).start()
        cluster.node("n2", join=[first], **tls).start()
        await asyncio.to_thread(cluster.settled, {1, 2})
        for node in cluster.running():
            (link,) = node.get_json("/links")["links"]
            self.assertTrue(link["encrypted"], link)
        self.assertIn(
            "TLS", self.refused_start(cluster.node("n3", join=[first]))
        )

    async def test_users_of_shards_that_are_kept_elsewhere(self):
        cluster = self.cluster()
        first = cluster.found(["n2", "n3", "n4"])

        def spread():
            return all(
                sum(not group["voters"] for group in cluster.shards(node)) == 1
                and all(group["leader"] for group in cluster.shards(node))
                for node in cluster.running()
            )

        # Four shards on three of four nodes each.
        await asyncio.to_thread(until, spread, "the shards are not spread")
        users = {f"u{i}" for i in range(4 * SHARDS)}
        for uid in users:
            await self.register(first, uid)

        def pages(node):
            seen, after = [], ""
            while after is not None:
                page = node.get_json(
                    f"/users/inactive?unseen_for_ms=0&limit=3&after={after}"
                )
                seen += [row["uid"] for row in page["users"]]
                after = page["next"]
            return sorted(seen)

        def all_are_seen():
            for node in cluster.running():
                self.assertEqual(pages(node), sorted(users))
                for uid in users:
                    shown = node.get_json(f"/users/{uid}")
                    self.assertEqual(shown["inbox"]["messages"], 0, shown)
            return True

        # A follower may be a moment behind.
        await asyncio.to_thread(until, all_are_seen, "not all are seen")
        last = cluster.nodes["n4"]
        purged = last.request("POST", "/users/purge", {"unseen_for_ms": 0})
        self.assertEqual(
            {row["uid"] for row in purged.json["users"]}, users
        )
        await asyncio.to_thread(
            until,
            lambda: not any(
                n.get_json("/users")["users"] for n in cluster.running()
            ),
            "some are left",
        )

    async def test_waits_for_whoever_is_not_there_yet(self):
        cluster = self.cluster()
        early = cluster.node("early", join=["127.0.0.1:1"])
        early.spawn()
        early.wait_for_log("waiting to join the cluster")
        self.assertEqual(early.stop(), 0, early.log())


class Faults(ClusterCase):
    async def test_what_was_acknowledged_survives_a_kill(self):
        cluster = self.cluster()
        first = cluster.found(["n2", "n3"])
        await asyncio.to_thread(cluster.settled, {1, 2, 3})
        cluster.run(first, "rebalance")
        def balanced():
            return all(r["leads"] > 0 for r in cluster.rows().values())

        await asyncio.to_thread(until, balanced, "one node does not lead")
        users = [f"u{i}" for i in range(3 * SHARDS)]
        for uid in users:
            await self.register(first, uid)

        leaders = {
            uid: await asyncio.to_thread(cluster.leader_of, uid)
            for uid in users
        }
        victim = leaders[users[0]]
        poster_uid = next(u for u in users if leaders[u] is not victim)
        others = [u for u in users if u != poster_uid]
        poster = await self.login(cluster, poster_uid)
        promised = {uid: set() for uid in others}

        async def post(count, start):
            for i in range(start, start + count):
                uid = others[i % len(others)]
                text = f"{uid} {i}"
                ack = await poster.post({uid: 1}, text.encode())
                if ack["type"] == "ok" and "error" not in ack.header:
                    promised[uid].add(text)

        await post(50, 0)
        before = cluster.rows(victim)[cluster.number_of(victim)]
        number = before["id"]
        posting = asyncio.create_task(post(150, 50))
        await asyncio.sleep(0)
        await asyncio.to_thread(victim.kill)
        await posting
        self.assertGreater(sum(map(len, promised.values())), 100)
        for uid in others:
            await self.read(cluster, uid, promised[uid])
        poster.vanish()

        # It comes back as itself, at another port.
        await asyncio.to_thread(victim.start)
        await asyncio.to_thread(cluster.settled, {1, 2, 3})
        self.assertEqual(cluster.number_of(victim), number)

        def says_where_it_is():
            after = cluster.rows()[number]
            return (
                after["incarnation"] > before["incarnation"]
                and after["address"] == victim.addresses["cluster"]
            )

        await asyncio.to_thread(until, says_where_it_is, "still elsewhere")

        # So does a whole cluster.
        for node in cluster.running():
            self.assertEqual(await asyncio.to_thread(node.stop), 0, node.log())
        ports = {
            name: node.addresses["cluster"]
            for name, node in cluster.nodes.items()
        }
        for name, node in cluster.nodes.items():
            node.settings["cluster.listen"] = ports[name]
            node.spawn()
        for node in cluster.nodes.values():
            await asyncio.to_thread(node.wait_ready)
        await asyncio.to_thread(cluster.settled, {1, 2, 3})


class Growth(ClusterCase):
    async def test_a_fourth_joins_and_the_second_leaves(self):
        cluster = self.cluster()
        first = cluster.found(["n2", "n3"])
        await asyncio.to_thread(cluster.settled, {1, 2, 3})
        users = [f"u{i}" for i in range(2 * SHARDS)]
        for uid in users:
            await self.register(first, uid)
        poster = await self.login(cluster, users[0])
        for uid in users[1:]:
            await poster.post({uid: 1}, b"kept " + uid.encode())
        poster.vanish()

        fourth = cluster.node("n4", join=[cluster.nodes["n3"]]).start()
        number = await asyncio.to_thread(cluster.number_of, fourth)
        self.assertEqual(number, 4)

        def has_its_share():
            row = cluster.rows(first)[4]
            return row["state"] == "member" and row["groups"] > 1

        await asyncio.to_thread(until, has_its_share, "nothing for node 4")

        for uid in users[1:]:
            await self.read(cluster, uid, {f"kept {uid}"})
        # Clients of any node, also of one that has no part in their inbox.
        for node in cluster.running():
            poster = await self.login_at(node, users[0])
            for uid in users[1:]:
                reader = await self.login_at(node, uid)
                text = f"to {uid} at {node.settings['node.name']}".encode()
                ack = await poster.post({uid: 1}, text)
                self.assertIsNone(ack.get("error"), ack)
                while (await reader.take()).data != text:
                    pass
                reader.vanish()
            poster.vanish()
        poster = await self.login_at(fourth, users[0])
        for uid in users[1:]:
            await poster.post({uid: 1}, b"stays " + uid.encode())
        poster.vanish()

        second = cluster.nodes["n2"]
        leaver = await asyncio.to_thread(cluster.number_of, second)
        stay = {1, 2, 3, 4} - {leaver}

        async def run(*arguments):
            return await asyncio.to_thread(cluster.run, first, *arguments)

        with self.assertRaisesRegex(Refused, "drain it first"):
            await run("node", "remove", str(leaver))
        await run("node", "drain", str(leaver), "--wait")
        self.assertEqual(cluster.rows(first)[leaver]["state"], "draining")

        def not_ready():
            return "draining" in second.get("/readyz").text

        await asyncio.to_thread(until, not_ready, "a drained node is ready")
        await run("node", "remove", str(leaver), "--wait")
        # It is told, and ends; so it does if it is started again.
        code = await asyncio.to_thread(second.wait, DEADLINE)
        self.assertEqual(code, 1, second.log())
        self.assertIn("removed from its cluster", second.log())
        self.assertIn("removed", self.refused_start(second))

        def three():
            rows = cluster.rows(first)
            members = {i for i in rows if rows[i]["state"] == "member"}
            return members == stay and all(
                set(g["voters"]) == members for g in cluster.shards(first)
            )

        await asyncio.to_thread(until, three, "not on three nodes again")
        for uid in users[1:]:
            await self.read(cluster, uid, {f"stays {uid}"})

        # A node that is lost is removed without more ado.
        fourth.kill()

        def lost():
            return not cluster.rows(first)[4]["linked"]

        await asyncio.to_thread(until, lost, "a dead node is linked")
        await run("node", "remove", "4")
        stay.discard(4)
        await asyncio.to_thread(until, three, "not on two nodes")
        with self.assertRaisesRegex(Refused, "node"):
            await run("node", "drain", "77")


if __name__ == "__main__":
    unittest.main()
