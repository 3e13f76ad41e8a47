# SPDX-License-Identifier: Apache-2.0
"""A ZenConn client for tests: JSON over RFC 6455 on a blocking socket, with
the request and every frame at hand."""

import base64
import hashlib
import hmac
import json
import os
import socket
import time

from tests.integration.mq_client import WEBSOCKET_GUID
from tests.integration.mq_frames import websocket_frame

# Only bounds how long a failure takes.
DEADLINE = float(os.environ.get("TROUPE_TEST_DEADLINE", "30"))


class Refused(Exception):
    """The upgrade was answered by something else than 101."""

    def __init__(self, status, head):
        super().__init__(head)
        self.status = status
        self.head = head


class Closed(ConnectionError):
    def __init__(self, code=None):
        super().__init__(f"closed with {code}")
        self.code = code


def token(secret, session, channel):
    """What an application makes for a client of its own."""
    text = f"{session}@{channel}".encode()
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


class ZenconnClient:
    def __init__(self, at, bearer=None, headers=None, version=13, path="/"):
        self.socket = socket.create_connection(at, DEADLINE)
        self._bytes = b""
        key = base64.b64encode(os.urandom(16))
        fields = {
            "Host": f"{at[0]}:{at[1]}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": str(version),
            "Sec-WebSocket-Key": key.decode(),
            **({"Authorization": f"Bearer {bearer}"} if bearer else {}),
            **(headers or {}),
        }
        lines = [f"GET {path} HTTP/1.1"]
        lines += [f"{k}: {v}" for k, v in fields.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            self.head = self._until(b"\r\n\r\n").decode()
            status = int(self.head.split(" ")[1])
            if status != 101:
                raise Refused(status, self.head)
            digest = hashlib.sha1(key + WEBSOCKET_GUID).digest()
            assert base64.b64encode(digest).decode() in self.head, self.head
        except BaseException:
            self.socket.close()
            raise
        self.welcome = None
        self.id = None

    @classmethod
    def connect(cls, at, *arguments, **options):
        """Up to the welcome, in JSON."""
        self = cls(at, *arguments, **options)
        self.welcome = self.receive()
        self.id = self.welcome["data"]
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.drop()

    # --- bytes -----------------------------------------------------------

    def _more(self):
        got = self.socket.recv(65536)
        if not got:
            raise Closed()
        self._bytes += got

    def _until(self, end):
        while end not in self._bytes:
            self._more()
        found, self._bytes = self._bytes.split(end, 1)
        return found + end

    def _take(self, count):
        while len(self._bytes) < count:
            self._more()
        found, self._bytes = self._bytes[:count], self._bytes[count:]
        return found

    def frame(self):
        """Opcode and payload of the next one."""
        first, length = self._take(2)
        if length == 126:
            length = int.from_bytes(self._take(2), "big")
        elif length == 127:
            length = int.from_bytes(self._take(8), "big")
        return first & 0x0F, self._take(length)

    def message(self):
        """The next one that is no control frame: opcode and payload."""
        while True:
            opcode, payload = self.frame()
            if opcode == 8:
                raise Closed(int.from_bytes(payload[:2], "big"))
            if opcode < 8:
                return opcode, payload

    def send_raw(self, payload, opcode=1):
        self.socket.sendall(websocket_frame(payload, opcode))

    # --- messages --------------------------------------------------------

    def send(self, **message):
        self.send_raw(json.dumps(message).encode())

    def receive(self):
        return json.loads(self.message()[1])

    def silent(self, seconds=0.3):
        """Whether nothing comes for so long."""
        self.socket.settimeout(seconds)
        try:
            return self.message() is None
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(DEADLINE)

    def ask(self, **message):
        self.send(**message)
        return self.receive()

    def subscribe(self, channel, secret=None):
        by = {"token": token(secret, self.id, channel)} if secret else {}
        return self.ask(type="subscribe", channel=channel, **by)

    def broadcast(self, channel, data):
        return self.ask(type="broadcast", channel=channel, data=data)

    def close(self):
        """Cleanly; answers the code that comes back."""
        self.send_raw((1000).to_bytes(2, "big"), opcode=8)
        try:
            while True:
                self.message()
        except Closed as e:
            return e.code
        finally:
            self.drop()

    def drop(self):
        self.socket.close()


def reached(client, channel, count, data, deadline=DEADLINE):
    """Broadcasts until so many hear it: what joined a moment ago is known to
    other nodes a moment later. Answers the last count."""
    end = time.monotonic() + deadline
    while True:
        answer = client.broadcast(channel, data)
        while answer["type"] == "event":  # who joins meanwhile
            answer = client.receive()
        assert answer["type"] == "received", answer
        if answer["count"] == count and "missing" not in answer:
            return answer["count"]
        if time.monotonic() > end:
            raise AssertionError(f"{answer} instead of {count}")
        time.sleep(0.05)
