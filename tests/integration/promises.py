# SPDX-License-Identifier: Apache-2.0
"""A load of posters and devices that keep book: what nodes have promised by an
acknowledgement, and what has come of it.

What must hold, whatever happens to the nodes:
- every acknowledged post reaches every device it was for;
- a message that comes again bears the same id;
- each device gets the acknowledged posts of one sender in the order they were
  posted;
- what was once shown to be read stays read. Where deliveries to a new
  connection begin is the cursor that a node has kept, so on each device that
  place must never move backwards;
- a message for one device is at no two devices at the same time, unless the
  first had vanished.

A `World` is where they live: it names a node to connect to, and says what of
the nodes' refusals is a broken promise.
"""

import asyncio
import itertools
import os
import random
import time

from tests.integration.mq_client import (
    DEADLINE,
    Disconnected,
    MqClient,
    Transport,
)

SEED = int(
    os.environ.get("TROUPE_TEST_SEED", random.SystemRandom().randrange(1 << 32))
)
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
        self.for_one = set()  # (uid, text), acknowledged or not
        self.holders = {}  # (uid, text) -> (device, connection) of for_one
        self.refused = 0  # posts and logins, where a world allows that
        self.devices = []
        self.broken = []  # sentences about rules that did not hold

    def promise(self, text, to):
        for uid, how in to.items():
            book = self.promised_once if how == 0 else self.promised
            book.setdefault(uid, set()).add(text)

    def hold(self, device, text, client):
        """A device was given a message over a connection."""
        key = (device.uid, text)
        if key not in self.for_one:
            return
        before, connection = self.holders.get(key, (device, client))
        if (
            before is not device
            and connection is before.client
            and not before.world.vanished(before)
        ):
            self.broken.append(
                f"{text} for one device of {device.uid} is at "
                f"{before.name} and {device.name}"
            )
        self.holders[key] = (device, client)

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
        self.client = None  # the connection it has
        self.address = None  # where to
        self.since = None  # when it was made

    async def run(self):
        while not self.done():
            await self.world.up.wait()
            try:
                self.address = self.world.address()
                self.since = time.monotonic()
                client = await MqClient.connect(self.address, self.transport)
            except (OSError, KeyError, EOFError, TimeoutError):
                await asyncio.sleep(0.01)  # between the kill and its notice
                continue
            try:
                await client.send(
                    "login", userId=self.uid, nodeId=self.name
                )
                answer = await client.receive(self.world.patience or DEADLINE)
                if answer.get("info") != "ok login":
                    self.world.refused(f"login got {answer}")
                    await asyncio.sleep(0.1)
                    continue
                self.client = client
                await self.work(client)
            except (Disconnected, ConnectionError, TimeoutError):
                pass
            finally:
                self.client = None
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
                self.world.ledger.for_one.update(
                    (uid, text) for uid, how in to.items() if how == 0
                )
                padding = b"." * self.random.choice((0, 100, 5000))
                await client.send(
                    "post", data=text.encode() + padding, id=text, to=to
                )
            if not waiting:
                await asyncio.sleep(0.01)
                continue
            ack = await client.receive(deadline=self.world.patience)
            to = waiting.pop(ack["id"])
            if ack["type"] != "ok" or ack.get("error"):
                self.world.refused(f"post got {ack}")
            else:
                self.world.ledger.promise(ack["id"], to)

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
            message = await client.receive(deadline=self.world.patience)
            id = tuple(map(int, message["id"].split("-")))
            if last is None:
                self.check(id >= self.cursor, f"read once, came back: {id}")
                self.cursor = id
            else:
                self.check(id >= last, f"{id} behind {last}")
            last = id
            text = message.data.rstrip(b".").decode()
            self.note(id, text)
            self.world.ledger.hold(self, text, client)
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
        """Call it when all has been delivered: ids are in the order of the
        first delivery. What was not acknowledged may come late."""
        ledger = self.world.ledger
        kept = ledger.promised.get(self.uid, set()) | ledger.promised_once.get(
            self.uid, set()
        )
        last = {}
        for text in self.ids:
            if text not in kept:
                continue
            poster, number = text.split()
            self.check(
                int(number) > last.get(poster, 0),
                f"{text} after {last.get(poster)}",
            )
            last[poster] = int(number)


class World:
    """One node that is there or not; nothing it says may be a refusal."""

    # How long a device or poster waits for a word before it connects anew;
    # None: for ever.
    patience = None

    def __init__(self, address):
        self.address = address
        self.ledger = Ledger()
        self.up = asyncio.Event()
        self.posting_over = asyncio.Event()
        self.over = asyncio.Event()

    def refused(self, what):
        self.ledger.broken.append(what)

    def vanished(self, client):
        """Whether its node may have taken a connected client for gone."""
        return False

    async def populate(self):
        uids = [f"user{n}" for n in range(USERS)]
        self.posters = [Poster(self, n, uids) for n in range(POSTERS)]
        self.devices = [
            Device(self, uid, n) for uid in uids for n in range(DEVICES)
        ]
        self.ledger.devices = self.devices
        client = await MqClient.connect(self.address())
        for each in self.posters + self.devices:
            if each.name == "n0":
                answer = await client.register(each.uid, "n0")
            else:
                answer = await client.add_node(each.uid, each.name, "n0")
            if answer.get("error"):
                raise AssertionError(answer)
        client.vanish()

    async def live_through(self, trouble):
        """Posts and reads while `trouble()` runs, and until all promises are
        kept; returns those that are not. Raises what went wrong in a client.
        """
        self.up.set()
        posting = [asyncio.create_task(p.run()) for p in self.posters]
        reading = [asyncio.create_task(d.run()) for d in self.devices]
        try:
            await trouble()
            self.posting_over.set()
            await asyncio.gather(*posting)
            missing = await self._kept()
        finally:
            for task in posting + reading:
                task.cancel()
            ends = await asyncio.gather(
                *posting, *reading, return_exceptions=True
            )
        for end in ends:
            if isinstance(end, Exception):
                raise end
        for device in self.devices:
            device.check_order()
        return missing

    def summary(self):
        promised = sum(map(len, self.ledger.promised.values()))
        once = sum(map(len, self.ledger.promised_once.values()))
        again = sum(d.again for d in self.devices)
        return (
            f"{promised} promises, {once} for one device, {again} deliveries "
            f"came again, {self.ledger.refused} refusals"
        )

    async def _kept(self):
        end = asyncio.get_running_loop().time() + DRAIN_DEADLINE
        while any(self.ledger.missing()) and not self.ledger.broken:
            if asyncio.get_running_loop().time() > end:
                break
            await asyncio.sleep(0.05)
        return list(itertools.islice(self.ledger.missing(), 10))
