# SPDX-License-Identifier: Apache-2.0
"""docker-compose.yml as it stands: three nodes, what README.md does with them
("From node to node"), a post through the first that is delivered by the third,
one node killed, one added at runtime, a clean stop.

Builds the image first. Skipped where there is no engine; `.ci/run` calls it,
ctest does not: python3 -m unittest -v tests.compose.compose_test
"""

import asyncio
import json
import os
import shutil
import subprocess
import threading
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from tests.integration.mq_client import Disconnected, MqClient, Transport

ROOT = Path(__file__).resolve().parents[2]
PROJECT = f"troupe-test-{os.getpid()}"
DEADLINE = 120
PORTS = {"node1": 8081, "node2": 8082, "node3": 8083}


def compose_command():
    """The v2 plugin, or its older brother."""
    if subprocess.run(
        ("docker", "compose", "version"), capture_output=True, check=False
    ).returncode == 0:
        return ("docker", "compose")
    if shutil.which("docker-compose"):
        return ("docker-compose",)
    raise unittest.SkipTest("no docker compose")


def setUpModule():
    if shutil.which("docker") is None or subprocess.run(
        ("docker", "info"), capture_output=True, check=False
    ).returncode:
        raise unittest.SkipTest("no docker engine")


def url(service, path):
    return f"http://localhost:{PORTS[service]}{path}"


def status_of(service, path, data=None):
    asked = urllib.request.Request(
        url(service, path), data, {"Content-Type": "text/plain"}
    )
    try:
        with urllib.request.urlopen(asked, timeout=DEADLINE) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        with e:
            return e.code


def until(question, why, deadline=DEADLINE):
    end = time.monotonic() + deadline
    while not (answer := question()):
        if time.monotonic() > end:
            raise AssertionError(why)
        time.sleep(0.5)
    return answer


class Compose(unittest.IsolatedAsyncioTestCase):
    def compose(self, *arguments, check=True):
        return subprocess.run(
            (*self.command, "-p", PROJECT, *arguments),
            cwd=ROOT,
            check=check,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ).stdout

    def troupe(self, service, *arguments):
        return self.compose("exec", "-T", service, "troupe", *arguments)

    def nodes(self, asked="node1"):
        text = self.compose(
            *("exec", "-T", asked, "troupe", "node", "list", "--json"),
            check=False,
        )
        try:
            return json.loads(text)["nodes"]
        except (ValueError, KeyError):
            return []

    def members(self, count, asked="node1"):
        def there():
            rows = self.nodes(asked)
            return (
                sum(r["state"] == "member" and r["linked"] for r in rows)
                == count
            )

        until(there, f"there are not {count} members")

    async def login(self, service, uid):
        """A node may be between two leaders for a moment."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            try:
                client = await MqClient.connect(
                    ("127.0.0.1", PORTS[service]), Transport.WEBSOCKET
                )
                await client.send("login", userId=uid, nodeId="n0")
                if (await client.receive()).get("info") == "ok login":
                    return client
            except (Disconnected, OSError, EOFError):
                pass
            await asyncio.sleep(0.2)
        raise AssertionError(f"{uid} can't log in at {service}")

    async def deliver(self, source, target, text):
        anna = await self.login(source, "anna")
        berta = await self.login(target, "berta")
        ack = await anna.post({"berta": 1}, text)
        self.assertIsNone(ack.get("error"), ack)
        message = await berta.take()
        self.assertEqual(message.data, text)
        await anna.close()
        await berta.close()

    def collect(self, stream):
        """What has come from it up to now; read in a thread of its own."""
        came = bytearray()

        def read():
            try:
                while data := stream.read1(1 << 16):
                    came.extend(data)
            except (OSError, ValueError):
                pass  # closed at the end of the test

        threading.Thread(target=read, daemon=True).start()
        return came

    def listen(self, service, accept):
        """At the channel `demo`, from outside."""
        asked = urllib.request.Request(
            url(service, "/msgbus/demo"), headers={"Accept": accept}
        )
        return self.collect(urllib.request.urlopen(asked, timeout=DEADLINE))

    def listen_inside(self, service):
        process = subprocess.Popen(
            (*self.command, "-p", PROJECT, "exec", "-T", service)
            + ("troupe", "sub", "demo"),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return self.collect(process.stdout)

    def see_a_message_move(self):
        # What the tab needs.
        for name in ("examples/tab.html", "examples/tab.mjs", "src/index.js"):
            self.assertEqual(status_of("node1", f"/{name}"), 200, name)
        listeners = {
            "a tab at node1": self.listen("node1", "text/event-stream"),
            "curl at node2": self.listen("node2", "*/*"),
            "troupe sub at node3": self.listen_inside("node3"),
        }

        def heard_by_all(text):
            return all(text in came for came in listeners.values())

        # Before they are known at the other nodes they hear nothing.
        def arrives():
            status = status_of("node1", "/msgbus/demo", b"are you there?")
            self.assertEqual(status, 204)
            return heard_by_all(b"are you there?")

        until(arrives, f"not heard by all: {listeners}")
        said = self.troupe(
            *("node3", "pub", "--as", "cli", "demo", "hello from a node")
        )
        self.assertEqual(said.strip(), "ok")
        until(
            lambda: heard_by_all(b"hello from a node"),
            f"not heard by all: {listeners}",
        )
        status = status_of("node2", "/msgbus/demo", b"hello from curl")
        self.assertEqual(status, 204)
        until(
            lambda: heard_by_all(b"hello from curl"),
            f"not heard by all: {listeners}",
        )

        # Nothing else is open.
        for service in PORTS:
            self.assertEqual(status_of(service, "/msgbus/other"), 403)
            self.assertEqual(status_of(service, "/msgbus/other", b"x"), 403)
            self.assertEqual(status_of(service, "/msgbus/"), 403)
            self.assertEqual(status_of(service, "/msgbus/demonstration"), 403)

        self.troupe("node1", "user", "add", "bob", "--device", "phone")
        posted = self.troupe(
            *("node2", "post", "--as", "alice", "--device", "laptop"),
            *("--create", "--to", "bob", "hello, Bob"),
        )
        self.assertIn("ok", posted)
        self.compose("kill", "node2")
        tail = self.troupe(
            *("node3", "inbox", "tail", "--as", "bob", "--device", "phone"),
            *("--count", "1"),
        )
        self.assertIn("alice: hello, Bob", tail)
        self.compose("up", "-d", "node2")
        self.members(3)

    async def test_three_nodes_lose_one_and_gain_one(self):
        self.command = compose_command()
        self.addCleanup(
            self.compose, "down", "--volumes", "--timeout", "5", check=False
        )
        if "TROUPE_TEST_IMAGE_IS_THERE" not in os.environ:
            self.compose("build")
        self.compose("up", "-d")
        until(lambda: self.nodes() or None, "node1 does not answer")
        await asyncio.to_thread(self.members, 3)
        await asyncio.to_thread(self.see_a_message_move)
        client = await MqClient.connect(
            ("127.0.0.1", PORTS["node1"]), Transport.WEBSOCKET
        )
        for uid in ("anna", "berta"):
            answer = await client.register(uid, "n0")
            self.assertIsNone(answer.get("error"), answer)
        await client.close()
        await self.deliver("node1", "node3", b"from one to three")

        # As by a power cut; it would be started again at once.
        self.compose("kill", "node2")
        await self.deliver("node1", "node3", b"without two")
        self.compose("up", "-d", "node2")
        await asyncio.to_thread(self.members, 3)

        # One more, as the file says.
        self.compose("up", "-d", "--scale", "extra=1", "--no-recreate", "extra")
        await asyncio.to_thread(self.members, 4)
        await self.deliver("node3", "node2", b"among four")

        # SIGTERM ends them before docker loses patience.
        begin = time.monotonic()
        self.compose("stop")
        self.assertLess(time.monotonic() - begin, 60)
        ids = self.compose("ps", "-a", "-q", check=False).split()
        ids = ids or self.compose("ps", "-q").split()
        for id in ids:
            state = json.loads(
                subprocess.check_output(("docker", "inspect", id))
            )[0]["State"]
            self.assertEqual(state["ExitCode"], 0, state)


if __name__ == "__main__":
    unittest.main()
