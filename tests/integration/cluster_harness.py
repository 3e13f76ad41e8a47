# SPDX-License-Identifier: Apache-2.0
"""Clusters of real nodes on 127.0.0.1, for tests and benchmarks."""

import asyncio
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from tests.integration.mq_client import Disconnected, MqClient
from tests.integration.troupe_node import TroupeNode, binary

SECRET = "a secret of the cluster tests"
SHARDS = 4
# Elections, snapshots and sanitizers on a busy machine.
DEADLINE = 120

SETTINGS = {
    "cluster.listen": "127.0.0.1:0",
    "cluster.shards": SHARDS,
    "node.loops": 1,
    "mq.message_bytes_max": "1MiB",
    "storage.segment_bytes": "8MiB",
    "storage.reserve_bytes": 0,
}


class Refused(Exception):
    """What a node said that asked for something in vain."""


def until(question, why, deadline=DEADLINE):
    """Asks until the answer is true, and returns it. A node that is being
    asked may just be gone."""
    end = time.monotonic() + deadline
    while True:
        seen = None
        try:
            if seen := question():
                return seen
        except (OSError, AssertionError) as e:
            seen = e
        if time.monotonic() > end:
            raise AssertionError(f"{why}: {seen!r}")
        time.sleep(0.1)


class Cluster:
    """Nodes by name; the first one founds it."""

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="troupe-cluster-"))
        self.secret = self.root / "secret"
        self.secret.write_text(SECRET + "\n")
        self.nodes = {}

    def remove(self):
        for node in self.nodes.values():
            node.remove()
        shutil.rmtree(self.root, ignore_errors=True)

    def node(self, name, join=(), **settings):
        """A node that is not started yet."""
        settings = {
            **SETTINGS,
            "node.name": name,
            "cluster.secret_file": self.secret,
            **{k.replace("__", "."): v for k, v in settings.items()},
        }
        if join:
            settings["cluster.join"] = ",".join(
                n if isinstance(n, str) else n.addresses["cluster"]
                for n in join
            )
        self.nodes[name] = TroupeNode(settings, self.root / name)
        return self.nodes[name]

    def found(self, others=()):
        """One after the other: numbers are given in the order of joining."""
        first = self.node("n1").start()
        for name in others:
            self.node(name, join=[first]).start()
        return first

    def running(self):
        return [n for n in self.nodes.values() if n.running()]

    # --- what it says of itself ------------------------------------------

    def any(self):
        return self.running()[0]

    def rows(self, at=None):
        """Nodes by number."""
        at = at or self.any()
        return {n["id"]: n for n in at.get_json("/nodes")["nodes"]}

    def shards(self, at=None):
        at = at or self.any()
        return at.get_json("/shards")["shards"]

    def settled(self, members):
        """Every node sees the others linked, and all groups with a leader and
        these members as voters."""
        members = set(members)

        def settled_now():
            for node in self.running():
                rows = self.rows(node)
                if {i for i in rows if rows[i]["state"] == "member"} != members:
                    return False
                if not all(rows[i]["linked"] for i in members):
                    return False
                for group in self.shards(node):
                    if group.get("leader", 0) not in members:
                        return False
                    if set(group["voters"]) != members:
                        return False
                if node.get("/readyz").status != 200:
                    return False
            return True

        until(settled_now, f"the cluster is not {members}")

    def number_of(self, node):
        return node.get_json("/nodes")["self"]

    def leader_of(self, uid):
        """The node whose process leads the user's inbox."""

        def leader():
            at = self.any()
            group = at.get_json(f"/users/{uid}")["inbox"]["shard"]
            number = self.shards(at)[group]["leader"]
            for node in self.running():
                if self.number_of(node) == number:
                    return node
            return None

        return until(leader, f"nobody leads the inbox of {uid}")

    def run(self, at, *arguments):
        """A command over the admin interface of a node."""
        done = subprocess.run(
            [binary(), *arguments, "--admin", at.addresses["admin"][7:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        if done.returncode != 0:
            raise Refused(done.stderr)
        return done.stdout


class ClusterCase(unittest.IsolatedAsyncioTestCase):
    def cluster(self):
        made = Cluster()
        self.addCleanup(made.remove)
        return made

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)

    async def connect(self, node):
        client = await MqClient.connect(node.address())
        self.addCleanup(client.vanish)
        return client

    async def register(self, node, uid):
        client = await self.connect(node)
        answer = await client.register(uid, "n0")
        self.assertIsNone(answer.get("error"), answer)
        client.vanish()

    async def login(self, cluster, uid):
        """A session at the node that leads the user's inbox."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            node = await asyncio.to_thread(cluster.leader_of, uid)
            try:
                client = await self.connect(node)
                await client.send("login", userId=uid, nodeId="n0")
                answer = await client.receive()
                if answer.get("info") == "ok login":
                    client.uid, client.device = uid, "n0"
                    return client
            except (OSError, Disconnected):
                pass
            await asyncio.sleep(0.1)
        self.fail(f"{uid} can't log in")

    async def login_at(self, node, uid):
        """The session before may not have been missed yet."""
        end = time.monotonic() + DEADLINE
        while True:
            client = await self.connect(node)
            await client.send("login", userId=uid, nodeId="n0")
            answer = await client.receive()
            if answer.get("info") == "ok login":
                client.uid, client.device = uid, "n0"
                return client
            client.vanish()
            if time.monotonic() > end:
                self.fail(f"{uid} can't log in: {answer}")
            await asyncio.sleep(0.1)

    async def read(self, cluster, uid, expected):
        """Takes messages until all of `expected` have come."""
        client = await self.login(cluster, uid)
        missing = set(expected)
        while missing:
            message = await client.take()
            missing.discard(message.data.decode())
        client.vanish()

    def refused_start(self, node):
        """The log of a start that must fail."""
        node.spawn()
        code = node.wait()
        self.assertEqual(code, 1, node.log())
        return node.log()
