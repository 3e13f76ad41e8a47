# SPDX-License-Identifier: Apache-2.0
"""Raw sockets that speak to /msgbus/, byte by byte."""

import base64
import re
import socket
import time

DEADLINE = 30
BOUNDARY = b"--00MsgBus00\n"


def basic(user, password):
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    return f"Authorization: Basic {text}\r\n"


def masked(head):
    """A head with its date taken out, which is checked for its form."""
    form = rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n"
    return re.sub(form, b"\r\nDate: D\r\n", head)


class Wire:
    def __init__(self, address, receive_buffer=None):
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(
                socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer
            )
        self._socket.settimeout(DEADLINE)
        self._socket.connect(address)
        self._bytes = b""

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def socket(self):
        return self._socket

    def send(self, data):
        if isinstance(data, str):
            data = data.encode("latin-1")
        self._socket.sendall(data)

    def end_sending(self):
        self._socket.shutdown(socket.SHUT_WR)

    def _more(self):
        data = self._socket.recv(1 << 16)
        self._bytes += data
        return bool(data)

    def until(self, end):
        """Up to and with `end`; what there is if the other side ends first."""
        while end not in self._bytes:
            if not self._more():
                break
        at = self._bytes.find(end)
        at = len(self._bytes) if at < 0 else at + len(end)
        found, self._bytes = self._bytes[:at], self._bytes[at:]
        return found

    def exactly(self, count):
        while len(self._bytes) < count:
            if not self._more():
                break
        found, self._bytes = self._bytes[:count], self._bytes[count:]
        return found

    def rest(self):
        """All to the end, "" for a reset."""
        try:
            while self._more():
                pass
        except ConnectionError:
            pass
        found, self._bytes = self._bytes, b""
        return found

    def silent(self, seconds=0.3):
        """Nothing comes in that time."""
        self._socket.settimeout(seconds)
        try:
            return not self._bytes and not self._more()
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(DEADLINE)

    def chunk(self):
        """What is in the next chunk; None at the end."""
        line = self.until(b"\r\n")
        if not line:
            return None
        assert re.fullmatch(rb"[0-9a-f]+\r\n", line), line
        size = int(line, 16)
        data = self.exactly(size + 2)
        assert data.endswith(b"\r\n"), data
        return data[:-2]

    def head(self):
        return self.until(b"\r\n\r\n")

    def answer(self):
        """Head and body of an answer with a length."""
        head = self.head()
        length = re.search(rb"\r\nContent-Length: (\d+)\r\n", head)
        return head, self.exactly(int(length[1]) if length else 0)


def get(target, fields="", version="1.1"):
    return f"GET {target} HTTP/{version}\r\nHost: h\r\n{fields}\r\n"


def post(target, body, fields="Content-Type: text/plain\r\n", version="1.1"):
    if isinstance(body, str):
        body = body.encode()
    head = (
        f"POST {target} HTTP/{version}\r\nHost: h\r\n{fields}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("latin-1") + body


def subscribe(address, target, fields="", version="1.1", **options):
    """A subscriber behind the head and the first boundary."""
    wire = Wire(address, **options)
    wire.send(get(target, fields, version))
    head = wire.head()
    assert b" 200 OK\r\n" in head, head
    if "event-stream" not in fields:
        first = wire.chunk() if version == "1.1" else wire.until(b"\n")
        assert first == BOUNDARY, first
    return wire


def publish(address, target, body, fields="Content-Type: text/plain\r\n"):
    """The status line."""
    with Wire(address) as wire:
        wire.send(post(target, body, fields))
        return wire.head().split(b"\r\n")[0]


def until(question, why, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while not (seen := question()):
        assert time.monotonic() < end, why
        time.sleep(0.02)
    return seen
