# SPDX-License-Identifier: Apache-2.0
"""Large messages, many posters at once, and the rate of durable acks
(WMQ-17, 19, 23).

The rates are always measured and printed. They decide only when
TROUPE_MQ_RATE=1, because a shared machine says little about a broker.
"""

import asyncio
import os
import random
import tempfile
import time
import unittest

from tests.integration.mq_case import MqCase
from tests.integration.mq_client import Transport
from tests.integration.mq_frames import draft_frame, encode_message

MIB = 1 << 20
RATE_SECONDS = float(os.environ.get("TROUPE_MQ_RATE_SECONDS", "3"))
RATE_DECIDES = os.environ.get("TROUPE_MQ_RATE") == "1"


def syncs_per_second(seconds=0.5):
    """What this disk allows to one writer that syncs every 4 KiB."""
    with tempfile.TemporaryFile() as file:
        count, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            count += 1
    return count / seconds


class LoadRows:
    async def test_wmq_17_large_messages_both_ways(self):
        alice = await self.user("alice")
        bob = await self.user("bob")
        random_bytes = random.Random(17).randbytes
        for size in (MIB, 16 * MIB):
            with self.subTest(size=size):
                there, back = random_bytes(size), random_bytes(size)
                self.assert_ok(
                    await alice.post({bob.uid: 1}, there, etc={"n": size})
                )
                message = await bob.take()
                self.assertTrue(message.data == there)
                self.assertEqual(message.etc_json, {"n": size})
                self.assert_ok(await bob.post({alice.uid: 1}, back))
                message = await alice.take()
                self.assertTrue(message.data == back)
                # The upper half of the length, zero when we send.
                self.assertEqual(message.raw[1:6], b"\x7f\x00\x00\x00\x00")

    async def test_wmq_17_large_message_survives_kill(self):
        alice = await self.user("alice")
        bob = await self.user("bob", login=False)
        data = random.Random(18).randbytes(16 * MIB)
        self.assert_ok(await alice.post({bob.uid: 1}, data))
        await asyncio.to_thread(self.node.kill)
        await asyncio.to_thread(self.node.start)
        bob = await self.again(bob)
        self.assertTrue((await bob.take()).data == data)

    async def test_wmq_19_fifty_posters_at_once(self):
        bob = await self.user("bob")
        posters = await asyncio.gather(
            *(self.user("poster") for _ in range(50))
        )
        rounds, ids = 4, []
        for n in range(rounds):
            for poster in posters:
                poster.write_bytes(
                    poster.frame(
                        encode_message(
                            {"op": "post", "id": str(n), "to": {bob.uid: 1}},
                            data=f"{poster.uid} {n}".encode(),
                        )
                    )
                )
            for poster in posters:
                self.assert_ok(await poster.expect("ack", id=str(n)))
        texts = []
        for _ in range(rounds * len(posters)):
            message = await bob.take()
            ids.append(message["id"])
            texts.append(message.data.decode())
        self.assertEqual(len(set(ids)), len(ids))
        self.assertEqual(
            sorted(texts),
            sorted(f"{p.uid} {n}" for p in posters for n in range(rounds)),
        )
        for poster in posters:
            own = [t for t in texts if t.split()[0] == poster.uid]
            self.assertEqual(own, [f"{poster.uid} {n}" for n in range(rounds)])
        await self.assert_next_is_marker(posters[0], bob)

    async def acks_per_second(self, window):
        alice = await self.user("alice")
        bob = await self.user("bob", login=False)
        data = b"x" * 100

        def post(n):
            alice.write_bytes(
                alice.frame(
                    encode_message(
                        {"op": "post", "id": str(n), "to": {bob.uid: 1}},
                        data=data,
                    )
                )
            )

        begin, done = time.monotonic(), 0
        for n in range(window):
            post(n)
        while time.monotonic() < begin + RATE_SECONDS:
            self.assert_ok(await alice.receive())
            done += 1
            post(done + window - 1)
        rate = done / (time.monotonic() - begin)
        for _ in range(window):
            self.assert_ok(await alice.receive())
        return rate

    async def rate_row(self, window, wanted):
        syncs = syncs_per_second()
        rate = await self.acks_per_second(window)
        print(
            f"\n{self.transport.value}, window {window}: {rate:.0f} durable "
            f"acks/s (wanted {wanted}); the disk does {syncs:.0f} syncs/s"
        )
        if RATE_DECIDES:
            self.assertGreaterEqual(rate, wanted)

    async def test_wmq_23_rate_window_1(self):
        await self.rate_row(window=1, wanted=300)

    async def test_wmq_23_rate_window_50(self):
        await self.rate_row(window=50, wanted=3700)


class LoadOverDraft(LoadRows, MqCase):
    async def test_wmq_17_upper_half_of_the_length_is_ignored(self):
        alice = await self.user("alice")
        data = os.urandom(MIB)
        for upper in (len(data), 1, 0xFFFFFFFF):
            with self.subTest(upper=upper):
                await alice.send_bytes(
                    draft_frame(
                        encode_message(
                            {"op": "post", "id": "q", "to": {alice.uid: 1}},
                            data=data,
                        ),
                        upper=upper,
                    )
                )
                self.assertTrue((await alice.take()).data == data)
                self.assert_ok(await alice.expect("ack", id="q"))


class LoadOverWebSocket(LoadRows, MqCase):
    transport = Transport.WEBSOCKET


if __name__ == "__main__":
    unittest.main()
