# SPDX-License-Identifier: Apache-2.0
"""Clients of MQTT 3.1.1 whose sessions stay: they go to another node when the
one they are at says nothing, go on where they were, and note all that they were
promised and were sent."""

import collections
import random
import select
import socket
import struct
import threading
import time

from tests.integration.mqtt_client import V311, connect, packet, paho, text

CONNACK, PUBLISH, PUBACK, PUBREC = 0x20, 0x30, 0x40, 0x50
PUBREL, PUBCOMP, SUBACK, PINGREQ = 0x62, 0x70, 0x90, b"\xc0\x00"

# Longer than the cluster takes to answer while it is well. Who waits longer
# looks for another node.
PATIENCE = 3
UNDER_WAY = 20


class Lost(Exception):
    """The connection is over, or says nothing any more."""


class Party(threading.Thread):
    """A session, over as many connections as it takes. A subclass says what is
    done with one."""

    def __init__(self, name, addresses, seed):
        super().__init__(name=name, daemon=True)
        self.addresses = addresses
        self.connections = 0
        self.failure = None
        self._chance = random.Random(f"{seed} {name}")
        self._over = threading.Event()
        self._socket = None
        self._bytes = b""

    def stop(self):
        self._over.set()
        self.join()

    def run(self):
        try:
            while not self._over.is_set():
                try:
                    self._live(self._chance.choice(self.addresses))
                except (Lost, OSError):
                    self._over.wait(0.2)
                finally:
                    if self._socket is not None:
                        self._socket.close()
        except Exception as e:  # for the thread of the test
            self.failure = e
            raise

    def _live(self, address):
        self._bytes = b""
        self._socket = socket.create_connection(address, PATIENCE)
        self._send(connect(V311, self.name, flags=0, keep_alive=6 * PATIENCE))
        answer = self._packet(PATIENCE)
        if answer is None or answer[0] != CONNACK or answer[1][1] != 0:
            raise Lost
        self.connections += 1
        self.begin(answer[1][0] == 1)
        quiet_since = time.monotonic()
        asked = False
        while not self._over.is_set():
            found = self._packet(0.05)
            if found is not None:
                quiet_since, asked = time.monotonic(), False
                self.hear(*found)
            elif time.monotonic() - quiet_since > PATIENCE:
                raise Lost
            elif time.monotonic() - quiet_since > 1 and not asked:
                self._send(PINGREQ)
                asked = True
            self.go_on()

    def _send(self, data):
        self._socket.sendall(data)

    def _packet(self, patience):
        """The next one; None if none has come in time."""
        while (found := self._cut()) is None:
            if not select.select([self._socket], [], [], patience)[0]:
                return None
            more = self._socket.recv(1 << 16)
            if not more:
                raise Lost
            self._bytes += more
        return found

    def _cut(self):
        length = shift = 0
        for at in range(1, min(5, len(self._bytes))):
            length |= (self._bytes[at] & 127) << shift
            shift += 7
            if self._bytes[at] < 128:
                break
        else:
            return None
        end = at + 1 + length
        if len(self._bytes) < end:
            return None
        found = self._bytes[0], self._bytes[at + 1 : end]
        self._bytes = self._bytes[end:]
        return found

    def begin(self, present):
        """It is connected."""

    def hear(self, first, body):
        raise NotImplementedError

    def go_on(self):
        """Whatever it wants to say."""


class Publisher(Party):
    """Publishes to its topics in turn, in one order, and sends again what is
    not acknowledged."""

    def __init__(self, name, addresses, seed, topics, qos):
        super().__init__(name, addresses, seed)
        self.qos = qos
        self.topics = topics
        self.said = []  # pairs of topic and payload
        self.acknowledged = 0
        self._waiting = collections.OrderedDict()  # by packet id
        self._released = set()
        self._last_id = 0
        self._enough = threading.Event()
        self._next_at = 0

    def end(self):
        """No more is said."""
        self._enough.set()

    @property
    def answered(self):
        return self._enough.is_set() and not self._waiting

    def unanswered(self):
        return [f"{i} {said}" for i, said in list(self._waiting.items())]

    def begin(self, present):
        if not present:
            # It was never told of these in vain: they are all said again.
            self._released.clear()
        for ident in self._waiting:
            if ident in self._released:
                self._send(packet(PUBREL, struct.pack(">H", ident)))
            else:
                self._say(ident, 8)

    def hear(self, first, body):
        if first not in (PUBACK, PUBREC, PUBCOMP):
            return
        ident = struct.unpack(">H", body)[0]
        if first == PUBREC:
            self._released.add(ident)
            self._send(packet(PUBREL, body))
        elif ident in self._waiting:
            del self._waiting[ident]
            self._released.discard(ident)
            self.acknowledged += 1

    def go_on(self):
        now = time.monotonic()
        if (
            self._enough.is_set()
            or len(self._waiting) >= UNDER_WAY
            or now < self._next_at
        ):
            return
        self._next_at = now + 0.005
        self._last_id = self._last_id % 65_535 + 1
        topic = self.topics[len(self.said) % len(self.topics)]
        payload = f"{self.name} {len(self.said)}"
        self.said.append((topic, payload))
        self._waiting[self._last_id] = (topic, payload)
        self._say(self._last_id, 0)

    def _say(self, ident, dup):
        topic, payload = self._waiting[ident]
        self._send(
            packet(
                PUBLISH | dup | self.qos << 1,
                text(topic) + struct.pack(">H", ident) + payload.encode(),
            )
        )


class Reader(Party):
    """Notes what its application gets: of QoS 2 what was not sent before."""

    def __init__(self, name, addresses, seed, filter_):
        super().__init__(name, addresses, seed)
        self.got = []  # pairs of topic and payload
        self.ready = threading.Event()
        self._filter = filter_
        self._unreleased = set()

    def begin(self, present):
        if present and self.ready.is_set():
            return
        if self.ready.is_set():
            raise AssertionError(f"{self.name}: the session is lost")
        self._send(packet(0x82, b"\0\1" + text(self._filter) + b"\2"))

    def hear(self, first, body):
        if first == SUBACK:
            self.ready.set()
        elif first == PUBREL:
            self._unreleased.discard(body)
            self._send(packet(PUBCOMP, body))
        elif first & 0xF0 == PUBLISH:
            self._take(first >> 1 & 3, body)

    def _take(self, qos, body):
        length = struct.unpack(">H", body[:2])[0]
        topic = body[2 : 2 + length].decode()
        ident, payload = body[2 + length : 4 + length], body[4 + length :]
        if ident not in self._unreleased:
            self.got.append((topic, payload.decode()))
        if qos == 2:
            self._unreleased.add(ident)
            self._send(packet(PUBREC, ident))
        else:
            self._send(packet(PUBACK, ident))


class PahoReader:
    """The same by somebody else's client."""

    def __init__(self, name, addresses, seed, filter_):
        self.name = name
        self.got = []
        self.ready = threading.Event()
        self.failure = None
        self.connections = 0
        self._addresses = addresses
        self._filter = filter_
        self._chance = random.Random(f"{seed} {name}")
        self.paho = paho.Client(
            name, clean_session=False, protocol=paho.MQTTv311
        )
        self.paho.reconnect_delay_set(1, 2)
        self.paho.on_connect = self._on_connect
        self.paho.on_disconnect = lambda *_: self._look_elsewhere()
        self.paho.on_message = lambda _c, _d, m: self.got.append(
            (m.topic, m.payload.decode())
        )
        self.paho.on_subscribe = lambda *_: self.ready.set()

    def start(self):
        self.paho.connect_async(
            *self._chance.choice(self._addresses), keepalive=2 * PATIENCE
        )
        self.paho.loop_start()

    def stop(self):
        self.paho.loop_stop()

    def _look_elsewhere(self):
        # Whoever it is at, it goes on; what it reads first is what it keeps.
        self.paho._host, self.paho._port = self._chance.choice(self._addresses)

    def _on_connect(self, _client, _data, flags, code):
        if code != 0:
            return
        self.connections += 1
        if not self.ready.is_set():
            self.paho.subscribe(self._filter, 2)
        elif not flags["session present"]:
            self.failure = AssertionError(f"{self.name}: the session is lost")


def broken_promises(publishers, reader):
    """What is wrong with what a reader got, in words."""
    found = []
    counts = collections.Counter(reader.got)
    for publisher in publishers:
        said = publisher.said
        if lost := [each for each in said if not counts[each]]:
            found.append(f"{len(lost)} lost, {lost[:3]}")
        if publisher.qos == 2:
            twice = [each for each in said if counts[each] > 1]
            if twice:
                found.append(f"{len(twice)} came twice, {twice[:3]}")
        mine = set(said)
        first = list(dict.fromkeys(each for each in reader.got if each in mine))
        for topic in publisher.topics:
            wanted = [p for t, p in said if t == topic]
            had = [p for t, p in first if t == topic]
            for one, other in zip(had, wanted):
                if one != other:
                    found.append(f"order of {topic}: {one} instead of {other}")
                    break
    return [f"{reader.name}: {each}" for each in found]
