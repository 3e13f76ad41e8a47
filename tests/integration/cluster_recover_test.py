# SPDX-License-Identifier: Apache-2.0
"""`troupe recover`: the survivor of two nodes goes on alone, with all that was
acknowledged; the lost one may not come back."""

import asyncio
import json
import shutil
import subprocess
import unittest

from tests.integration.cluster_harness import DEADLINE, ClusterCase, until
from tests.integration.troupe_node import binary

CONFIRM = "--i-know-that-the-others-are-lost"


def recover(node, *more):
    """The command with the settings of a node; exit code, output, errors."""
    line = [binary(), "recover", "--data", str(node.data)]
    for key, value in node.settings.items():
        line += ["--set", f"{key}={value}"]
    done = subprocess.run(
        [*line, *more], capture_output=True, text=True, timeout=DEADLINE
    )
    return done.returncode, done.stdout, done.stderr


class Recovery(ClusterCase):
    async def in_thread(self, function, *arguments):
        return await asyncio.to_thread(function, *arguments)

    async def test_the_survivor_of_two(self):
        cluster = self.cluster()
        first = cluster.found(["n2"])
        second = cluster.nodes["n2"]
        await self.in_thread(cluster.settled, {1, 2})
        users = [f"u{i}" for i in range(12)]
        for uid in users:
            await self.register(first, uid)
        promised = {uid: set() for uid in users}
        poster = await self.login_at(second, users[0])
        for i in range(200):
            uid = users[1 + i % (len(users) - 1)]
            text = f"{uid} {i}"
            ack = await poster.post({uid: 1}, text.encode())
            if ack["type"] == "ok" and "error" not in ack.header:
                promised[uid].add(text)
        poster.vanish()
        self.assertGreater(sum(map(len, promised.values())), 150)
        cluster_id = first.get_json("/nodes")["cluster"]

        # A running node's folder is in use; one that answers is not lost.
        code, _, said = await self.in_thread(recover, first, CONFIRM, "x")
        self.assertEqual(code, 1, said)
        self.assertIn("held by the process", said)
        await self.in_thread(first.kill)
        code, printed, said = await self.in_thread(
            recover, first, CONFIRM, cluster_id
        )
        self.assertEqual(code, 1, printed + said)
        self.assertIn("node 2 answers", said)
        self.assertIn("not lost", said)

        # Node 2 is lost, as far as its cluster is concerned. Its folder is
        # kept to see what becomes of it if it turns up again.
        await self.in_thread(second.kill)
        aside = cluster.root / "aside"
        shutil.copytree(second.data, aside)
        shutil.rmtree(second.data)

        # Without a confirmation nothing happens, whatever is asked.
        for more in ((), (CONFIRM, "0" * 32)):
            code, printed, said = await self.in_thread(recover, first, *more)
            self.assertEqual(code, 1, printed + said)
            self.assertIn("othing was changed", printed + said)
        self.assertFalse((first.data / "recoveries.jsonl").exists())
        self.assertIn(
            "Nothing that was acknowledged", (await self.in_thread(
                recover, first
            ))[1]
        )  # fmt: skip
        first.spawn()
        await self.in_thread(
            first.wait_for_log, "does not serve yet"
        )
        await self.in_thread(first.kill)

        code, printed, said = await self.in_thread(
            recover, first, CONFIRM, cluster_id
        )
        self.assertEqual(code, 0, printed + said)
        self.assertIn("node 2 (n2, ", printed)
        (line,) = (first.data / "recoveries.jsonl").read_text().splitlines()
        record = json.loads(line)
        self.assertEqual(record["node"], 1)
        self.assertEqual([each["id"] for each in record["lost"]], [2])
        self.assertEqual(len(record["groups"]), 5)

        # All that was acknowledged is there.
        await self.in_thread(first.start)
        await self.in_thread(cluster.settled, {1})
        for uid in users[1:]:
            await self.read(cluster, uid, promised[uid])
        code, _, said = await self.in_thread(recover, first)
        self.assertIn("held by the process", said)

        # The lost node turns up: it is told, and ends.
        second.data = aside
        second.settings["cluster.join"] = first.addresses["cluster"]
        said = await self.in_thread(self.refused_start, second)
        self.assertIn("was removed from its cluster for good", said)
        self.assertEqual(cluster.rows(first)[2]["state"], "removed")

        # A new one takes its place.
        third = cluster.node("n3", join=[first])
        await self.in_thread(third.start)
        await self.in_thread(cluster.settled, {1, 3})
        poster = await self.login_at(third, users[0])
        ack = await poster.post({users[1]: 1}, b"after")
        self.assertIsNone(ack.get("error"), ack)
        poster.vanish()
        await self.read(cluster, users[1], {"after"})

    async def test_the_survivor_of_three_is_told_what_may_be_lost(self):
        cluster = self.cluster()
        first = cluster.found(["n2", "n3"])
        await self.in_thread(cluster.settled, {1, 2, 3})
        for uid in ("anna", "bert"):
            await self.register(first, uid)
        poster = await self.login_at(first, "anna")
        ack = await poster.post({"bert": 1}, b"to all")
        self.assertIsNone(ack.get("error"), ack)
        poster.vanish()
        # All three have it: it was settled when the others died.
        third = cluster.nodes["n3"]

        def applied(node):
            return {g["group"]: g["applied"] for g in cluster.shards(node)}

        def even():
            return applied(first) == applied(third)

        await self.in_thread(until, even, "the nodes have not got the same")
        cluster_id = first.get_json("/nodes")["cluster"]
        for name in ("n1", "n2"):
            await self.in_thread(cluster.nodes[name].kill)
        await self.in_thread(third.kill)
        for name in ("n1", "n2"):
            shutil.rmtree(cluster.nodes[name].data)

        code, printed, _ = await self.in_thread(recover, third)
        self.assertEqual(code, 1)
        self.assertIn("acknowledged without this one", printed)
        code, printed, said = await self.in_thread(
            recover, third, CONFIRM, cluster_id
        )
        self.assertEqual(code, 0, printed + said)
        await self.in_thread(third.start)
        await self.in_thread(cluster.settled, {3})
        await self.read(cluster, "bert", {"to all"})

        # A cluster of one has nothing to recover from.
        self.assertEqual(await self.in_thread(third.stop), 0, third.log())
        code, _, said = await self.in_thread(recover, third)
        self.assertEqual(code, 1)
        self.assertIn("nothing to recover from", said)

    async def test_a_folder_that_is_none(self):
        cluster = self.cluster()
        node = cluster.node("n1")
        code, _, said = await self.in_thread(recover, node)
        self.assertEqual(code, 1)
        self.assertIn("is not the data folder of a node", said)
        self.assertFalse(node.data.exists())


if __name__ == "__main__":
    unittest.main()
