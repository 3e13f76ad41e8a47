# SPDX-License-Identifier: Apache-2.0
"""kill -9 under load, again and again on the same data, with a checker that
knows every acknowledged post.

What must hold, however the moments of the kills fall:
- every acknowledged post reaches every device it was for;
- a message that comes again bears the same id;
- each device gets the posts of one sender in the order they were posted;
- what a crash has once shown to be read stays read. Where deliveries begin
  after a crash is the cursor that was found on disk, so on each device that
  place must never move backwards from one crash to the next;
- after a polite stop nothing that was acknowledged comes back at all.

TROUPE_SEED repeats a run (as far as a seed can), TROUPE_KILLS sets how often.
"""

import asyncio
import itertools
import os
import random
import unittest

from tests.integration.mq_client import Disconnected, MqClient, Transport
from tests.integration.troupe_node import NotReady, TroupeNode

SEED = int(
    os.environ.get("TROUPE_SEED", random.SystemRandom().randrange(1 << 32))
)
KILLS = int(os.environ.get("TROUPE_KILLS", "20"))
POSTERS = 4
USERS = 3
DEVICES = 2
OUTSTANDING = 8
BACKLOG = 400
DRAIN_DEADLINE = 120


class Ledger:
    """What the node has promised, and what has come of it."""

    def __init__(self):
        self.promised = {}  # uid -> texts for all devices
        self.promised_once = {}  # uid -> texts for one device
        self.devices = []
        self.broken = []  # sentences about rules that did not hold

    def promise(self, text, to):
        for uid, how in to.items():
            book = self.promised_once if how == 0 else self.promised
            book.setdefault(uid, set()).add(text)

    def missing(self):
        """(device or uid, text) of every promise not yet kept."""
        for device in self.devices:
            for text in self.promised.get(device.uid, ()):
                if text not in device.ids:
                    yield f"{device.uid}/{device.name}", text
        for uid, texts in self.promised_once.items():
            seen = set()
            for device in self.devices:
                if device.uid == uid:
                    seen |= device.ids.keys()
            for text in texts - seen:
                yield uid, text

    def backlog(self):
        return max(
            len(self.promised.get(d.uid, ())) - len(d.ids)
            for d in self.devices
        )


class Client:
    """A user's device that comes back whenever its connection is lost."""

    def __init__(self, world, uid, name, transport):
        self.world = world
        self.uid = uid
        self.name = name
        self.transport = transport

    async def run(self):
        while not self.done():
            await self.world.up.wait()
            try:
                client = await MqClient.connect(
                    self.world.node.address(), self.transport
                )
            except (OSError, KeyError, EOFError):
                await asyncio.sleep(0.01)  # between the kill and its notice
                continue
            try:
                await client.send(
                    "login", userId=self.uid, nodeId=self.name
                )
                answer = await client.receive()
                if answer.get("info") != "ok login":
                    self.world.ledger.broken.append(f"login got {answer}")
                    return
                await self.work(client)
            except (Disconnected, ConnectionError):
                pass
            finally:
                client.reset()


class Poster(Client):
    def __init__(self, world, number, recipients):
        transport = list(Transport)[number % 2]
        super().__init__(world, f"poster{number}", "n0", transport)
        self.random = random.Random(SEED * 1000 + number)
        self.recipients = recipients
        self.numbers = itertools.count(1)

    def done(self):
        return self.world.posting_over.is_set()

    async def work(self, client):
        waiting = {}
        while waiting or not self.done():
            while len(waiting) < OUTSTANDING and self.may_post():
                text = f"{self.uid} {next(self.numbers)}"
                to = self.choose()
                waiting[text] = to
                padding = b"." * self.random.choice((0, 100, 5000))
                await client.send(
                    "post", data=text.encode() + padding, id=text, to=to
                )
            if not waiting:
                await asyncio.sleep(0.01)
                continue
            ack = await client.receive()
            if ack["type"] != "ok" or ack.get("error"):
                self.world.ledger.broken.append(f"post got {ack}")
            self.world.ledger.promise(ack["id"], waiting.pop(ack["id"]))

    def may_post(self):
        return not self.done() and self.world.ledger.backlog() < BACKLOG

    def choose(self):
        some = self.random.sample(
            self.recipients, self.random.randint(1, len(self.recipients))
        )
        return {uid: self.random.choice((1, 1, 1, 0)) for uid in some}


class Device(Client):
    def __init__(self, world, uid, number):
        transport = list(Transport)[number % 2]
        super().__init__(world, uid, f"n{number}", transport)
        self.ids = {}  # text -> id, in the order of the first delivery
        self.texts = {}  # id -> text
        self.cursor = (0, 0)  # where the last connection began
        self.again = 0

    def done(self):
        return self.world.over.is_set()

    async def work(self, client):
        last = None
        while True:
            message = await client.receive(deadline=None)
            id = tuple(map(int, message["id"].split("-")))
            if last is None:
                self.check(id >= self.cursor, f"read once, came back: {id}")
                self.cursor = id
            else:
                self.check(id >= last, f"{id} behind {last}")
            last = id
            self.note(id, message.data.rstrip(b".").decode())
            await client.acknowledge(message)

    def note(self, id, text):
        if text in self.ids:
            self.again += 1
        self.check(
            self.ids.setdefault(text, id) == id, f"{text} changed its id"
        )
        self.check(
            self.texts.setdefault(id, text) == text, f"{id} named two messages"
        )

    def check(self, holds, sentence):
        if not holds:
            self.world.ledger.broken.append(
                f"{self.uid}/{self.name}: {sentence}"
            )

    def check_order(self):
        last = {}
        for text in self.ids:
            poster, number = text.split()
            self.check(
                int(number) > last.get(poster, 0),
                f"{text} after {last.get(poster)}",
            )
            last[poster] = int(number)


class World:
    def __init__(self, node):
        self.node = node
        self.ledger = Ledger()
        self.up = asyncio.Event()
        self.posting_over = asyncio.Event()
        self.over = asyncio.Event()

    async def populate(self):
        uids = [f"user{n}" for n in range(USERS)]
        posters = [Poster(self, n, uids) for n in range(POSTERS)]
        devices = [
            Device(self, uid, n) for uid in uids for n in range(DEVICES)
        ]
        self.ledger.devices = devices
        client = await MqClient.connect(self.node.address())
        for each in posters + devices:
            if each.name == "n0":
                answer = await client.register(each.uid, "n0")
            else:
                answer = await client.add_node(each.uid, each.name, "n0")
            if answer.get("error"):
                raise AssertionError(answer)
        client.vanish()
        return posters, devices

    async def kill_now_and_then(self):
        chance = random.Random(SEED)
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.1, 1.5))
            self.up.clear()
            await asyncio.to_thread(self.node.kill)
            # Every fourth start is cut short as well.
            while chance.random() < 0.25:
                self.node.spawn()
                await asyncio.sleep(chance.uniform(0.0, 0.2))
                await asyncio.to_thread(self.node.kill)
            await asyncio.to_thread(self.node.start)
            self.up.set()

    async def kept(self):
        end = asyncio.get_running_loop().time() + DRAIN_DEADLINE
        while any(self.ledger.missing()) and not self.ledger.broken:
            if asyncio.get_running_loop().time() > end:
                break
            await asyncio.sleep(0.05)
        return list(itertools.islice(self.ledger.missing(), 10))


class KillTest(unittest.IsolatedAsyncioTestCase):
    async def test_nothing_acknowledged_is_lost(self):
        print(f"\nseed {SEED}, {KILLS} kills")
        asyncio.get_running_loop().set_debug(False)
        node = TroupeNode()
        self.addCleanup(node.remove)
        await asyncio.to_thread(node.start)
        world = World(node)
        posters, devices = await world.populate()
        world.up.set()
        posting = [asyncio.create_task(p.run()) for p in posters]
        reading = [asyncio.create_task(d.run()) for d in devices]
        try:
            await world.kill_now_and_then()
            world.posting_over.set()
            await asyncio.gather(*posting)
            missing = await world.kept()
        except NotReady as e:
            self.fail(f"seed {SEED}: {e}")
        finally:
            for task in posting + reading:
                task.cancel()
            ends = await asyncio.gather(
                *posting, *reading, return_exceptions=True
            )
        self.assertEqual([e for e in ends if isinstance(e, Exception)], [])
        for device in devices:
            device.check_order()
        promised = sum(map(len, world.ledger.promised.values()))
        again = sum(d.again for d in devices)
        print(f"{promised} promises, {again} deliveries came again")
        self.assertEqual(world.ledger.broken[:10], [], f"seed {SEED}")
        self.assertEqual(missing, [], f"seed {SEED}")
        self.assertGreater(promised, 0)
        await self.nothing_comes_back(node, devices)

    async def nothing_comes_back(self, node, devices):
        # A post of its own tells each device that its acks have been taken in.
        await self.marker_is_next(node, devices, b"before the stop", True)
        self.assertEqual(await asyncio.to_thread(node.stop), 0)
        await asyncio.to_thread(node.start)
        await self.marker_is_next(node, devices, b"after the stop")
        self.assertEqual(await asyncio.to_thread(node.stop), 0)

    async def marker_is_next(self, node, devices, marker, first=False):
        sender = await MqClient.connect(node.address())
        self.addCleanup(sender.vanish)
        await sender.login("poster0", "n0")
        to = {d.uid: 1 for d in devices}
        self.assertEqual((await sender.post(to, marker))["type"], "ok")
        await sender.close()
        for device in devices:
            client = await MqClient.connect(node.address())
            self.addCleanup(client.vanish)
            await client.login(device.uid, device.name)
            message = await client.take()
            # Posts without an ack, and acks cut off with the reader, may be
            # ahead of the first marker.
            while first and message.data != marker:
                message = await client.take()
            self.assertEqual(message.data, marker)
            await client.close()


if __name__ == "__main__":
    unittest.main()
