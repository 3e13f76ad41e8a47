# SPDX-License-Identifier: Apache-2.0
"""WMQ-02: ten clients that behave as the original's test client does.

Each, again and again: connects, logs in, posts ten messages of 3 to 9009
bytes, now and then one of 1 MiB instead, to all ten users, sometimes adds a
device, sends one ping and one list post, and closes. Ids "0".."9" are used
anew on every connection. The seed is printed; TROUPE_MQTEST_SECONDS sets how
long new rounds begin, 12 by default.
"""

import asyncio
import collections
import os
import random
import time
import unittest

from tests.integration.mq_case import MqCase
from tests.integration.mq_client import Disconnected, Transport

SECONDS = float(os.environ.get("TROUPE_MQTEST_SECONDS", "12"))
SEED = int(
    os.environ.get("TROUPE_TEST_SEED", random.SystemRandom().randrange(1 << 32))
)
UIDS = (
    "aabba bbccb ccddc ddeed eeffe ffggf gghhg hhiih iijji jjkkj".split()
)
LIST = "testlist"


class TestClient:
    """One of the ten users over all of its connections."""

    def __init__(self, case, uid, number, log):
        self.case = case
        self.uid = uid
        self.random = random.Random(SEED + number)
        self.log = log
        self.rounds = 0
        self.devices = 1
        self.acked = set()  # texts whose post was acked
        self.seen = collections.Counter()  # texts delivered

    async def run(self, until):
        while time.monotonic() < until or self.rounds == 0:
            client = await self.case.connect()
            await client.login(self.uid, "node0")
            await self.round(client)
            await client.close()
            self.rounds += 1
            # The original's clients come and go in their own time.
            await asyncio.sleep(self.random.uniform(0.0, 0.5))

    async def round(self, client):
        to = {uid: 1 for uid in UIDS}
        unacked = {}
        large = self.random.random() < 0.05
        for id in range(1 if large else 10):
            text = f"{self.uid} {self.rounds} {id} "
            size = 1 << 20 if large else self.random.randint(3, 9009)
            unacked[str(id)] = text
            await client.send(
                "post", {"text": text}, b"m" * size, id=str(id), to=to
            )
        last = text
        if self.random.random() < 0.2 and self.devices < 5:
            await client.send(
                "addNode",
                userId=self.uid,
                newNode=f"node{self.devices}",
                prevNode="node0",
            )
            self.devices += 1
        friend = self.random.choice(UIDS)
        await client.send(
            "ping", {"text": "ping"}, id="pingmsg", alias="alias" + friend
        )
        await client.send("post", id="listmsg", to={LIST: 3})
        waiting = {*unacked, "pingmsg", "listmsg"}
        # The own last post is behind all that was queued before it.
        while waiting or self.seen[last] == 0:
            await self.take(client, unacked, waiting)
        self.log.append(f"{self.uid} {len(unacked)} ackd")

    async def take(self, client, unacked, waiting):
        message = await client.receive()
        if message.op == "ack":
            if message["type"] != "ok" or message.get("error"):
                self.log.append(f"ack fail {message}")
            waiting.remove(message["id"])
            if message["id"] in unacked:
                self.acked.add(unacked[message["id"]])
        elif message.op == "deliver":
            if message.etc_json is not None:
                if message.etc_json["text"] == "ping":
                    self.log.append("pingmsg")
                else:
                    self.seen[message.etc_json["text"]] += 1
            await client.acknowledge(message)
        elif message.op == "listEdited":
            await client.acknowledge(message)
        elif message.op == "added":
            if message.get("error"):
                self.log.append(f"addNode fail {message}")
        else:
            self.log.append(f"unexpected {message}")

    async def drain(self, node):
        """Takes what is left on one device, up to a post of its own."""
        client = await self.case.connect()
        await client.login(self.uid, node)
        end = f"{self.uid} end of {node}"
        await client.send("post", {"text": end}, id="end", to={self.uid: 1})
        self.seen = collections.Counter()
        while self.seen[end] == 0:
            await self.take(client, {}, {"end"})
        await client.close()
        return set(self.seen)


class TestClientRows:
    async def test_wmq_02_ten_test_clients(self):
        print(f"\nseed {SEED}")
        log = []
        clients = [
            TestClient(self, uid, n, log) for n, uid in enumerate(UIDS)
        ]
        owner = None
        for uid in UIDS:
            client = await self.connect()
            answer = await client.register(uid, "node0", "alias" + uid)
            self.assertEqual(answer.etc_json, "alias" + uid)
            await client.login(uid, "node0")
            # The first one creates the list and takes in the others.
            if owner is None:
                owner = client
            else:
                self.assert_ok(await owner.edit_list(LIST, "add", uid))
                await owner.take("listEdited")
                await client.close()
        await owner.close()
        until = time.monotonic() + SECONDS
        try:
            await asyncio.gather(*(c.run(until) for c in clients))
        except Disconnected as e:
            raise AssertionError("\n".join(log[-20:])) from e
        acks = [line for line in log if line.endswith("ackd")]
        pings = log.count("pingmsg")
        print(f"{len(acks)} rounds, {pings} pingmsg")
        self.assertEqual(
            [x for x in log if x != "pingmsg" and not x.endswith("ackd")], []
        )
        self.assertGreaterEqual(len(acks), 20 if SECONDS >= 12 else 10)
        self.assertGreaterEqual(pings, 1)
        await self.nothing_is_lost(clients)

    async def nothing_is_lost(self, clients):
        acked = set().union(*(c.acked for c in clients))
        for client in clients:
            online = set(client.seen)
            online |= await client.drain("node0")
            self.assertEqual(acked - online, set(), client.uid)
            for n in range(1, client.devices):
                await client.drain(f"node{n}")


class TestClientOverDraft(TestClientRows, MqCase):
    pass


class TestClientOverWebSocket(TestClientRows, MqCase):
    transport = Transport.WEBSOCKET


if __name__ == "__main__":
    unittest.main()
