# SPDX-License-Identifier: Apache-2.0
"""MQTT for tests: Debian's paho as a client whose calls wait for what they ask
for, mosquitto's programs, and raw sockets."""

import os
import queue
import shutil
import socket
import struct
import subprocess
import sys
import threading
import unittest

from tests.integration.msgbus_client import DEADLINE, Wire

# The package is for the distribution's interpreter, which need not be the one
# that runs the tests; as it is all Python, any can load it from there.
DISTRIBUTION = "/usr/lib/python3/dist-packages"

sys.path.append(DISTRIBUTION)
try:
    from paho.mqtt import client as paho
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties
    from paho.mqtt.subscribeoptions import SubscribeOptions
except ImportError:
    paho = None
finally:
    sys.path.remove(DISTRIBUTION)

V31, V311, V5 = 3, 4, 5


def need_paho():
    if paho is None:
        raise unittest.SkipTest("python3-paho-mqtt is not installed")


def need_mosquitto():
    if shutil.which("mosquitto_sub") is None:
        raise unittest.SkipTest("mosquitto-clients are not installed")


def properties(kind, **values):
    made = Properties(getattr(PacketTypes, kind.upper()))
    for name, value in values.items():
        setattr(made, name, value)
    return made


class Refused(Exception):
    def __init__(self, code):
        super().__init__(f"refused with {code}")
        self.code = code


def code_of(reason):
    return reason.value if hasattr(reason, "value") else int(reason)


class Client:
    """A connected client. Messages are what it was sent, in order."""

    def __init__(
        self,
        address,
        version=V5,
        name="",
        user=None,
        password=None,
        websocket=None,
        will=None,
        keep_alive=60,
        tls=None,
        clean=True,
        **connect_properties,
    ):
        need_paho()
        self.messages = queue.Queue()
        self.acknowledged = queue.Queue()
        self.ended = queue.Queue()
        self._answers = queue.Queue()
        options = {} if version == V5 else {"clean_session": clean}
        self.paho = paho.Client(
            name,
            protocol=version,
            transport="websockets" if websocket else "tcp",
            **options,
        )
        if websocket:
            self.paho.ws_set_options(path=websocket)
        if user is not None:
            self.paho.username_pw_set(user, password)
        if will is not None:
            self.paho.will_set(**will)
        if tls is not None:
            self.paho.tls_set_context(tls)
        # Who is refused or sent away stays away.
        self.paho.reconnect_delay_set(3600, 3600)
        self.paho.on_connect = self._on_connect
        self.paho.on_disconnect = self._on_disconnect
        self.paho.on_message = lambda c, u, m: self.messages.put(m)
        self.paho.on_publish = lambda c, u, mid: self.acknowledged.put(mid)
        self.paho.on_subscribe = lambda *all: self._answers.put(all[3])
        self.paho.on_unsubscribe = lambda *all: self._answers.put(all[-1])
        more = {}
        if version == V5:
            more["clean_start"] = clean
            if connect_properties:
                more["properties"] = properties("connect", **connect_properties)
        self.paho.connect(*address, keepalive=keep_alive, **more)
        self.paho.loop_start()
        self.flags, code, self.welcome = self._answers.get(timeout=DEADLINE)
        if code != 0:
            self.drop()
            raise Refused(code)

    def _on_connect(self, _client, _data, flags, code, info=None):
        self._answers.put((flags, code_of(code), info))

    def _on_disconnect(self, _client, _data, code, *_):
        self.ended.put(code_of(code))

    def subscribe(self, *filters, qos=0, **values):
        """The reason codes, one a filter; filters may be pairs with options."""
        wanted = [f if isinstance(f, tuple) else (f, qos) for f in filters]
        more = {}
        if self.paho._protocol == V5:
            wanted = [
                (f, o if isinstance(o, SubscribeOptions) else SubscribeOptions(o))
                for f, o in wanted
            ]
            if values:
                more["properties"] = properties("subscribe", **values)
        self.paho.subscribe(wanted, **more)
        return [code_of(c) for c in self._answers.get(timeout=DEADLINE)]

    def unsubscribe(self, *filters):
        self.paho.unsubscribe(list(filters))
        return self._answers.get(timeout=DEADLINE)

    def publish(self, topic, payload=b"", qos=0, retain=False, **values):
        """Waits for the answer, if there is one."""
        more = {}
        if values:
            more["properties"] = properties("publish", **values)
        sent = self.paho.publish(topic, payload, qos, retain, **more)
        if qos:
            sent.wait_for_publish(DEADLINE)
            if not sent.is_published():
                raise AssertionError("a publication was never answered")
        return sent

    def next(self, deadline=DEADLINE):
        return self.messages.get(timeout=deadline)

    def payloads(self, count):
        return [self.next().payload for _ in range(count)]

    def end(self, deadline=DEADLINE):
        """The code of the end that the other side has made."""
        return self.ended.get(timeout=deadline)

    def close(self, reason=None):
        if reason is None:
            self.paho.disconnect()
        else:
            self.paho.disconnect(reason)
        self.paho.loop_stop()

    def drop(self):
        """Without a goodbye."""
        # loop_stop() would wait, a second each time, for the thread that ends
        # by itself.
        self.paho._thread_terminate = True
        sock = self.paho.socket()
        if sock is not None:
            with socket.socket(fileno=os.dup(sock.fileno())) as same:
                try:
                    same.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # the other side was faster


class Mosquitto:
    """mosquitto_sub, mosquitto_pub and mosquitto_rr at a node."""

    VERSIONS = {V31: "mqttv31", V311: "mqttv311", V5: "mqttv5"}

    def __init__(self, address):
        need_mosquitto()
        self._at = ["-h", address[0], "-p", str(address[1])]

    def pub(self, *arguments, version=V311):
        done = subprocess.run(
            ["mosquitto_pub", *self._at, "-V", self.VERSIONS[version], *arguments],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        return done

    def sub(self, *arguments, version=V311, count=1):
        """A subscriber that has been granted what it asked for."""
        return Printing(
            ["mosquitto_sub", *self._at, "-V", self.VERSIONS[version],
             "-d", "-C", str(count), "-W", str(DEADLINE), *arguments]
        )

    def take(self, *arguments, version=V311, count=1):
        """What a subscriber prints that may be sent something before it has
        been granted anything."""
        done = subprocess.run(
            ["mosquitto_sub", *self._at, "-V", self.VERSIONS[version],
             "-C", str(count), "-W", str(DEADLINE), *arguments],
            capture_output=True,
            text=True,
            timeout=DEADLINE + 5,
        )
        return done.stdout.splitlines()

    def rr(self, *arguments, version=V5):
        return subprocess.run(
            ["mosquitto_rr", *self._at, "-V", self.VERSIONS[version],
             "-W", str(DEADLINE), *arguments],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )


class Printing:
    def __init__(self, command):
        self._process = subprocess.Popen(
            ["stdbuf", "-oL", *command], stdout=subprocess.PIPE, text=True
        )
        self._lines = []
        self._subscribed = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._subscribed.wait(DEADLINE):
            raise AssertionError("never subscribed: " + "\n".join(self._lines))

    def _read(self):
        for line in self._process.stdout:
            self._lines.append(line.rstrip("\n"))
            if line.startswith("Subscribed"):
                self._subscribed.set()
        self._process.stdout.close()

    def lines(self):
        """What it printed of messages, to its end."""
        self._process.wait(DEADLINE + 5)
        self._reader.join(DEADLINE)
        noise = ("Client ", "Subscribed", "Sending", "Received")
        return [x for x in self._lines if x and not x.startswith(noise)]


# ---------------------------------------------------------------- raw packets


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(raw)) + raw


def packet(first, body=b""):
    length, out = len(body), b""
    while True:
        byte, length = length % 128, length // 128
        out += bytes([byte | (0x80 if length else 0)])
        if not length:
            return bytes([first]) + out + body


def connect(version=V311, name="raw", flags=2, keep_alive=0, rest=b""):
    protocol = text("MQIsdp") if version == V31 else text("MQTT")
    more = b"\0" if version >= V5 else b""
    return packet(
        0x10,
        protocol
        + bytes([version, flags])
        + struct.pack(">H", keep_alive)
        + more
        + text(name)
        + rest,
    )


class Raw(Wire):
    """Packets as they are on the wire."""

    def read_fast(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)

    def _exactly(self, count):
        found = self.exactly(count)
        if len(found) < count:
            raise EOFError
        return found

    def packet(self):
        """The first byte and the body; None at the end."""
        try:
            first = self._exactly(1)[0]
            length = shift = 0
            while True:
                byte = self._exactly(1)[0]
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            return first, self._exactly(length)
        except (EOFError, ConnectionResetError):
            return None

    def rest(self):
        """All packets to the end."""
        found = []
        while (one := self.packet()) is not None:
            found.append(one)
        return found
