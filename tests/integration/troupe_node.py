# SPDX-License-Identifier: Apache-2.0
"""Runs a real node for tests: temporary data folder, port 0, ready line.

TROUPE_BIN names the binary; without it every test of a node is skipped.
TROUPE_KEEP=1 leaves the data folders in place; TROUPE_TEST_WORKERS=N gives every
node N workers. Everything here blocks; from a
coroutine call it through asyncio.to_thread when others must go on meanwhile.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

# Generous: sanitizer builds on a busy machine replay slowly.
START_DEADLINE = 60
STOP_DEADLINE = 60
REQUEST_DEADLINE = 30

# Under a sanitizer the allocator keeps what was freed.
MEMORY_IS_COMPARABLE = "TROUPE_TEST_SANITIZED" not in os.environ

READY = re.compile(r"^troupe ready((?: [a-z]+=\S+)+)$")
SAMPLE = re.compile(
    r"^(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)"
    r"(?:\{(?P<labels>.*)\})? (?P<value>\S+)$"
)


def binary():
    """Path of the binary under test, or the end of the test as skipped."""
    path = os.environ.get("TROUPE_BIN")
    if not path:
        raise unittest.SkipTest("TROUPE_BIN does not name the troupe binary")
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"TROUPE_BIN={path} can't be run")
    return path


def within(seconds):
    """What is promised, or with TROUPE_TEST_STRICT_TIMES unset ten times as
    much: machines that run tests do much else."""
    strict = os.environ.get("TROUPE_TEST_STRICT_TIMES", "") not in ("", "0")
    return seconds if strict else 10 * seconds


class NotReady(Exception):
    """The node ended, or stayed silent, before it was ready."""


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict  # names in lower case
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


_opener = urllib.request.build_opener(
    urllib.request.ProxyHandler({}), _StayHere
)


class TroupeNode:
    def __init__(self, settings=None, data=None, arguments=(), host=None):
        """`host` (namespaces.Host) is where it runs, if not here."""
        self._binary = binary()
        self._host = host
        self._root = None
        if data is None:
            self._root = Path(tempfile.mkdtemp(prefix="troupe-test-"))
            data = self._root / "data"
        self.data = Path(data)
        self.settings = dict(settings or {})
        self.arguments = list(arguments)
        self.addresses = {}
        self._process = None
        self._readers = []
        self._lines = []
        self._open_streams = 0
        self._changed = threading.Condition()

    # --- life ------------------------------------------------------------

    def command(self):
        address = self._host.address if self._host else "127.0.0.1"
        line = [
            *(self._host.prefix if self._host else ()),
            self._binary,
            "serve",
            "--data",
            str(self.data),
            "--listen",
            f"{address}:0",
            "--admin",
            f"{address}:0",
        ]
        if count := os.environ.get("TROUPE_TEST_WORKERS"):
            line += ["--workers", count]
        for key, value in self.settings.items():
            line += ["--set", f"{key}={value}"]
        return line + self.arguments

    def spawn(self):
        """Starts the process and returns at once."""
        if self._process is not None and self._process.poll() is None:
            raise RuntimeError("the node runs already")
        self.addresses = {}
        self._process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._open_streams = 2
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (self._process.stdout, self._process.stderr)
        ]
        for reader in self._readers:
            reader.start()

    def start(self):
        """Starts and waits for the ready line."""
        self.spawn()
        self.wait_ready()
        return self

    def wait_ready(self, deadline=START_DEADLINE):
        with self._changed:
            self._changed.wait_for(
                lambda: self.addresses or self._open_streams == 0, deadline
            )
            if self.addresses:
                return
            silent = self._open_streams > 0
        if silent:
            self.kill()
            raise NotReady(f"no ready line in {deadline} s\n{self.log()}")
        code = self.wait()
        raise NotReady(f"exited with {code} before ready\n{self.log()}")

    def signal(self, number):
        self._process.send_signal(number)

    def wait(self, deadline=STOP_DEADLINE):
        """The exit code, negative for a signal."""
        code = self._process.wait(deadline)
        for reader in self._readers:
            reader.join(deadline)
        return code

    def stop(self):
        """SIGTERM and the exit code; harmless if the node has ended."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        """kill -9."""
        self._process.kill()
        self.wait()

    def running(self):
        return self._process is not None and self._process.poll() is None

    def remove(self):
        """Ends the process if need be and deletes the data."""
        if self.running():
            self.kill()
        if self._root and not os.environ.get("TROUPE_KEEP"):
            shutil.rmtree(self._root, ignore_errors=True)

    @property
    def pid(self):
        return self._process.pid

    def private_bytes(self):
        """Resident memory that is the process's own: without pages of mapped
        files, which the kernel takes back when it needs them."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        kib = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)
        return int(kib[1]) * 1024

    # --- what it says ----------------------------------------------------

    def _read(self, stream):
        for raw in stream:
            line = raw.decode(errors="replace").rstrip("\n")
            with self._changed:
                self._lines.append(line)
                if ready := READY.match(line):
                    pairs = ready[1].split()
                    self.addresses = dict(p.split("=", 1) for p in pairs)
                self._changed.notify_all()
        stream.close()
        with self._changed:
            self._open_streams -= 1
            self._changed.notify_all()

    def log(self):
        """Everything on stdout and stderr since the first start."""
        with self._changed:
            return "\n".join(self._lines)

    def wait_for_log(self, text, deadline=START_DEADLINE):
        with self._changed:
            if not self._changed.wait_for(
                lambda: any(text in line for line in self._lines), deadline
            ):
                raise AssertionError(f"{text!r} is not in the log")

    def address(self, listener="public"):
        host, _, port = self.addresses[listener].rpartition(":")
        return host, int(port)

    @property
    def admin_url(self):
        return self.addresses["admin"].rstrip("/")

    # --- admin port ------------------------------------------------------

    def request(self, method, path, body=None, headers=None):
        """Any status is an answer; only a broken connection raises."""
        data = body
        headers = dict(headers or {})
        if self._host:  # its admin listener is open to the others
            token = self.settings["admin.token"]
            headers.setdefault("Authorization", f"Bearer {token}")
        if body is not None and not isinstance(body, bytes):
            data = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(
            self.admin_url + path, data=data, headers=headers, method=method
        )
        try:
            answer = _opener.open(request, timeout=REQUEST_DEADLINE)
        except urllib.error.HTTPError as e:
            answer = e
        with answer:
            fields = {k.lower(): v for k, v in answer.headers.items()}
            return Response(answer.status, fields, answer.read())

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def get_json(self, path):
        answer = self.get(path)
        if answer.status != 200:
            raise AssertionError(f"GET {path}: {answer.status} {answer.body!r}")
        return answer.json

    def metrics(self):
        """Sample name with labels, as printed, to value."""
        samples = {}
        for line in self.get("/metrics").text.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            sample = SAMPLE.match(line)
            if sample is None:
                raise AssertionError(f"not a sample: {line!r}")
            name = sample["name"]
            if sample["labels"]:
                name += "{" + sample["labels"] + "}"
            samples[name] = float(sample["value"])
        return samples


def quoted(segment):
    """For one segment of an admin path."""
    return urllib.parse.quote(segment, safe="")
