# SPDX-License-Identifier: Apache-2.0
"""What happens to a cluster that happens to clusters, under load, with a
checker that knows every acknowledged post (promises.py).

Each node runs in a network namespace of its own. Clients, at the hub, connect
to any node that is not in trouble; those who were connected to one that is wait
for a while and go elsewhere. TROUPE_TEST_ROUNDS repeats each kind of trouble.
"""

import asyncio
import os
import random
import signal
import time
import unittest

from tests.faults import namespaces
from tests.integration.cluster_harness import DEADLINE, Cluster, until
from tests.integration.mq_client import Disconnected, MqClient
from tests.integration.promises import SEED, World
from tests.integration.troupe_node import TroupeNode

ROUNDS = int(os.environ.get("TROUPE_TEST_ROUNDS", "1"))
NODES = 3
# Longer than it takes to notice a silent peer (3 s) and to elect.
TROUBLE = 5
TOKEN = "a token of the fault tests"


def setUpModule():
    namespaces.move_to_own_network()
    os.environ["TROUPE_ADMIN_TOKEN"] = TOKEN  # for the commands


class ClusterOfHosts(Cluster):
    def __init__(self):
        super().__init__()
        self.hosts = {}

    def remove(self):
        super().remove()
        for host in self.hosts.values():
            host.remove()

    def node(self, name, join=(), **settings):
        if name not in self.hosts:
            self.hosts[name] = namespaces.Host(len(self.hosts) + 1)
        host = self.hosts[name]
        node = super().node(name, join, **settings)
        node.settings["cluster.listen"] = f"{host.address}:7001"
        node.settings["admin.token"] = TOKEN
        self.nodes[name] = TroupeNode(node.settings, node.data, host=host)
        return self.nodes[name]


class ClusterWorld(World):
    """Clients go to nodes that are not in trouble. A post may be refused, or
    its answer lost, while there is no leader: it was not promised then."""

    patience = 8

    def __init__(self, cluster):
        super().__init__(self.any_address)
        self.cluster = cluster
        self.in_trouble = set()
        self.troubles = {}  # address -> when the last one began
        self.chance = random.Random(SEED)

    def any_address(self):
        nodes = [
            node
            for name, node in self.cluster.nodes.items()
            if name not in self.in_trouble and node.addresses
        ]
        return self.chance.choice(nodes).address()

    def troubled(self, name):
        self.in_trouble.add(name)
        address = self.cluster.nodes[name].address()
        self.troubles[address] = time.monotonic()

    def vanished(self, client):
        return self.troubles.get(client.address, 0) > client.since

    def refused(self, what):
        self.ledger.refused += 1


class ClusterFaults(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)
        self.cluster = ClusterOfHosts()
        self.addCleanup(self.cluster.remove)
        names = [f"n{i}" for i in range(1, NODES + 1)]
        await asyncio.to_thread(self.cluster.found, names[1:])
        self.members = set(range(1, NODES + 1))
        await self.settled()
        self.world = ClusterWorld(self.cluster)
        self.chance = random.Random(SEED)
        print(f"\nseed {SEED}")

    async def settled(self):
        await asyncio.to_thread(self.cluster.settled, self.members)

    def victim(self):
        name = self.chance.choice(sorted(self.cluster.nodes))
        return name, self.cluster.nodes[name], self.cluster.hosts[name]

    async def survive(self, trouble):
        world = self.world
        await world.populate()

        async def rounds():
            for n in range(ROUNDS):
                await asyncio.sleep(self.chance.uniform(0.5, 1.5))
                await trouble()
                world.in_trouble.clear()
                await self.settled()
            # Some more of the load on a cluster that is well again.
            await asyncio.sleep(1)

        missing = await world.live_through(rounds)
        print(world.summary())
        self.assertEqual(world.ledger.broken[:10], [], f"seed {SEED}")
        self.assertEqual(missing, [], f"seed {SEED}")
        self.assertGreater(sum(map(len, world.ledger.promised.values())), 100)

    async def test_kill(self):
        async def trouble():
            name, node, _ = self.victim()
            self.world.troubled(name)
            await asyncio.to_thread(node.kill)
            await asyncio.sleep(self.chance.uniform(0, TROUBLE))
            await asyncio.to_thread(node.start)

        await self.survive(trouble)

    async def test_stopped_process(self):
        async def trouble():
            name, node, _ = self.victim()
            self.world.troubled(name)
            node.signal(signal.SIGSTOP)
            await asyncio.sleep(TROUBLE)
            node.signal(signal.SIGCONT)

        await self.survive(trouble)

    async def partition(self, cut):
        async def trouble():
            name, _, host = self.victim()
            self.world.troubled(name)
            cut(host)
            await asyncio.sleep(TROUBLE)
            host.mend()

        await self.survive(trouble)

    async def test_cable_pulled(self):
        await self.partition(lambda host: host.pull())

    async def test_cable_broken_one_way(self):
        if not self.cluster.hosts["n1"].has_firewall():
            self.skipTest("no firewall to be had")
        ways = [namespaces.Host.deafen, namespaces.Host.mute]
        await self.partition(lambda host: self.chance.choice(ways)(host))

    async def test_two_nodes_that_lose_each_other(self):
        # The third reaches both. Whoever led has to give way to it, or the
        # other one's clients could use nothing that is led there.
        if not self.cluster.hosts["n1"].has_firewall():
            self.skipTest("no firewall to be had")

        async def trouble():
            names = {
                await asyncio.to_thread(self.cluster.number_of, node): name
                for name, node in self.cluster.nodes.items()
            }
            leader = self.cluster.shards()[0]["leader"]
            number = self.chance.choice(sorted(set(names) - {leader}))
            between = names[number]
            lost = [name for name in names.values() if name != between]

            def leads_all():
                return all(
                    group["leader"] == number and group["ready"] == (n == between)
                    for n in names.values()
                    for group in self.cluster.shards(self.cluster.nodes[n])
                )

            for name in lost:
                self.world.troubled(name)
            hosts = [self.cluster.hosts[name] for name in lost]
            hosts[0].lose(hosts[1])
            await asyncio.to_thread(until, leads_all, "it does not lead all")
            # Both take clients and their posts to everybody.
            for name in lost:
                await self.serves_everybody(self.cluster.nodes[name])
            self.world.in_trouble.clear()
            # How long the fault lasts; nothing is waited for.
            await asyncio.sleep(2)
            for name, host in zip(lost, hosts):
                self.world.troubled(name)
                host.mend()

        await self.survive(trouble)

    async def serves_everybody(self, node):
        self.assertEqual(node.get("/readyz").status, 200)
        fresh = f"{random.getrandbits(32):x}"
        uids = [f"guest{fresh}-{n}" for n in range(8)]
        for uid in uids:
            client = await MqClient.connect(node.address())
            self.addCleanup(client.vanish)
            self.assertIsNone((await client.register(uid, "n0")).get("error"))
            await client.login(uid, "n0")
            for to in uids[: uids.index(uid)]:
                ack = await client.post({to: 1}, b"hello")
                self.assertIsNone(ack.get("error"), ack)

    async def test_rolling_restart(self):
        async def trouble():
            for name in sorted(self.cluster.nodes):
                node = self.cluster.nodes[name]
                self.world.troubled(name)
                code = await asyncio.to_thread(node.stop)
                self.assertEqual(code, 0, node.log())
                await asyncio.to_thread(node.start)
                self.world.in_trouble.remove(name)
                await self.settled()

        await self.survive(trouble)

    async def test_full_disk(self):
        # The quota of one node is used up by its copies: where it leads, posts
        # are refused; where it follows, it must not hold up the others.
        poor = self.cluster.nodes["n2"]

        async def with_quota(bytes_max):
            poor.settings["storage.quota_bytes"] = bytes_max
            await asyncio.to_thread(poor.stop)
            await asyncio.to_thread(poor.start)

        async def trouble():
            await self.fill()
            self.world.troubled("n2")
            await with_quota(0)

        await with_quota("48MiB")
        await self.settled()
        await self.survive(trouble)
        for uid, count in self.filled.items():
            shown = await asyncio.to_thread(poor.get_json, f"/users/{uid}")
            self.assertEqual(shown["inbox"]["messages"], count, uid)

    async def fill(self):
        """Queues large messages for users who do not read."""
        rich = self.cluster.nodes["n1"]
        await asyncio.to_thread(self.cluster.run, rich, "rebalance")
        client = await MqClient.connect(rich.address())
        self.addCleanup(client.vanish)
        fresh = f"{random.getrandbits(32):x}"
        sinks = [f"sink{fresh}-{n}" for n in range(12)]
        for uid in sinks:
            self.assertIsNone((await client.register(uid, "n0")).get("error"))
        await client.login(sinks[0], "n0")
        self.filled = dict.fromkeys(sinks, 0)
        refused = 0
        for n in range(600):
            uid = sinks[n % len(sinks)]
            ack = await client.post({uid: 1}, b"x" * 200_000)
            if ack["type"] == "ok" and not ack.get("error"):
                self.filled[uid] += 1
            else:
                refused += 1
            if refused > 30:
                break
        print(f"{sum(self.filled.values())} large posts, {refused} refused")
        self.assertGreater(refused, 0)

    async def test_a_node_comes_and_one_goes(self):
        count = len(self.cluster.nodes)

        async def trouble():
            nonlocal count
            count += 1
            fresh = f"n{count}"
            first = next(iter(self.cluster.running()))
            node = self.cluster.node(fresh, join=[first])
            self.world.in_trouble.add(fresh)
            await asyncio.to_thread(node.start)
            self.world.in_trouble.remove(fresh)
            number = await asyncio.to_thread(self.cluster.number_of, node)
            self.members.add(number)

            def has_its_share():
                return self.cluster.rows(node)[number]["groups"] > 1

            await asyncio.to_thread(until, has_its_share, "it got nothing")
            name, old, _ = self.victim()
            while name == fresh:
                name, old, _ = self.victim()
            gone = await asyncio.to_thread(self.cluster.number_of, old)
            self.world.troubled(name)
            for verb in ("drain", "remove"):
                await asyncio.to_thread(
                    *(self.cluster.run, node, "node", verb),
                    *(str(gone), "--wait"),
                )
            await asyncio.to_thread(old.wait, DEADLINE)
            self.cluster.nodes.pop(name).remove()
            self.members.remove(gone)

        await self.survive(trouble)

    async def test_one_alias_registered_at_two_nodes(self):
        for n in range(10 * ROUNDS):
            clients = [
                await MqClient.connect(node.address())
                for node in self.cluster.nodes.values()
            ]
            answers = await asyncio.gather(
                *(
                    client.register(f"twin{n}-{i}", "n0", f"alias{n}")
                    for i, client in enumerate(clients)
                )
            )
            for client in clients:
                client.vanish()
            self.assertEqual(
                sum(a.etc_json == f"alias{n}" for a in answers), 1, answers
            )


if __name__ == "__main__":
    unittest.main()
