# SPDX-License-Identifier: Apache-2.0
"""MQTT's sessions while nodes are killed: what was acknowledged is not lost,
and QoS 2 comes once."""

import collections
import os
import random
import threading
import time
import unittest

from tests.integration.cluster_harness import Cluster, until
from tests.integration.mqtt_client import need_paho, paho

SECONDS = float(os.environ.get("FAULT_SECONDS", "40"))
UNDER_WAY = 20


class Party:
    """A client that comes back by itself, with the session it had."""

    def __init__(self, name, address):
        need_paho()
        self.got = []
        self.ready = threading.Event()
        self.paho = paho.Client(name, clean_session=False, protocol=paho.MQTTv311)
        self.paho.reconnect_delay_set(1, 2)
        self._keep_released()
        self.paho.on_message = lambda c, u, m: self.got.append(m.payload)
        self.paho.on_subscribe = lambda *_: self.ready.set()
        self.paho.connect(*address, keepalive=5)
        self.paho.loop_start()

    def _keep_released(self):
        """Paho forgets with the second attempt to connect that it has sent a
        PUBREL, and publishes the message once more as another one."""
        reset = self.paho._messages_reconnect_reset_out

        def reset_all():
            for message in self.paho._out_messages.values():
                if message.state == paho.mqtt_ms_resend_pubrel:
                    message.state = paho.mqtt_ms_wait_for_pubcomp
            reset()

        self.paho._messages_reconnect_reset_out = reset_all

    def stop(self):
        self.paho.loop_stop()


class Publisher(Party):
    def __init__(self, name, address, topic, qos):
        self.lock = threading.Condition()
        self.waiting = {}
        self.asked = []
        self.early = set()  # answered before publish() has returned
        self.over = False
        super().__init__(name, address)
        self.paho.on_publish = self._on_publish
        self.thread = threading.Thread(
            target=self._run, args=(name, topic, qos), daemon=True
        )
        self.thread.start()

    # Paho calls with a lock of its own that publish() takes, too.
    def _on_publish(self, _client, _data, mid):
        with self.lock:
            if self.waiting.pop(mid, None) is None:
                self.early.add(mid)
            self.lock.notify()

    def _run(self, name, topic, qos):
        while not self.over:
            with self.lock:
                self.lock.wait_for(
                    lambda: len(self.waiting) < UNDER_WAY or self.over, 1
                )
                if len(self.waiting) >= UNDER_WAY:
                    continue
            payload = f"{name} {len(self.asked)}".encode()
            self.asked.append(payload)
            mid = self.paho.publish(topic, payload, qos).mid
            with self.lock:
                if mid in self.early:
                    self.early.discard(mid)
                else:
                    self.waiting[mid] = payload
            time.sleep(0.005)

    def end(self):
        self.over = True
        self.thread.join()
        until(lambda: not self.waiting, "some are never acknowledged")


class Killed(unittest.TestCase):
    def test_what_was_acknowledged_comes_and_qos_2_once(self):
        seed = int(os.environ.get("FAULT_SEED", time.time()))
        print("seed", seed)
        choice = random.Random(seed)
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        settings = {"listen.mqtt": "127.0.0.1:0"}
        nodes = [cluster.node("n1", **settings).start()]
        for name in ("n2", "n3"):
            nodes.append(
                cluster.node(name, join=[nodes[0]], **settings).start()
            )
        cluster.settled([1, 2, 3])
        # The ports stay over restarts.
        at = [node.address("mqtt") for node in nodes]
        for node, address in zip(nodes, at):
            node.settings["listen.mqtt"] = f"{address[0]}:{address[1]}"
        parties = []

        def add(party):
            self.addCleanup(party.stop)
            parties.append(party)
            return party

        readers = [add(Party(f"reader-{i}", at[i])) for i in range(3)]
        for reader in readers:
            reader.paho.subscribe("load/#", 2)
            self.assertTrue(reader.ready.wait(30))
        once = add(Publisher("once", at[0], "load/once", 2))
        least = add(Publisher("least", at[1], "load/least", 1))
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(choice.uniform(1, 4))
            victim = choice.randrange(3)
            nodes[victim].kill()
            time.sleep(choice.uniform(0, 4))
            nodes[victim].start()
            cluster.settled([1, 2, 3])
        for publisher in (once, least):
            publisher.end()
        wanted = set(once.asked) | set(least.asked)
        print(len(wanted), "messages")
        twice = {}
        for number, reader in enumerate(readers):
            until(lambda: wanted <= set(reader.got), "some are lost")
            counts = collections.Counter(reader.got)
            for payload in once.asked:
                if counts[payload] != 1:
                    twice.setdefault(payload, []).append(number)
        self.assertEqual(twice, {}, "which of the readers had it twice")


if __name__ == "__main__":
    unittest.main()
