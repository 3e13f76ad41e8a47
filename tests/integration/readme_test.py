# SPDX-License-Identifier: Apache-2.0
"""The commands of README.md ("See a message move") as they stand, line by line,
in a shell: a user's inbox, channels, MQTT. The ports that they name are free in
a network that only this test has.

A line that ends with & listens: the next one is typed when the node knows of
it, as somebody would who looks at what he does.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest
import urllib.request
from pathlib import Path

from tests.faults import namespaces
from tests.integration.cluster_harness import until
from tests.integration.mqtt_client import need_mosquitto
from tests.integration.troupe_node import START_DEADLINE, binary

ROOT = Path(__file__).resolve().parents[2]
ADMIN = "http://127.0.0.1:9090"


def setUpModule():
    binary()
    need_mosquitto()
    namespaces.move_to_own_network()


def blocks(heading):
    """The commands below a heading, as lists of lines."""
    text = (ROOT / "README.md").read_text()
    part = re.search(
        rf"^## {re.escape(heading)}$(.*?)^##", text, re.MULTILINE | re.DOTALL
    )
    found = re.findall(r"^```sh\n(.*?)^```", part[1], re.MULTILINE | re.DOTALL)
    return [lines_of(block) for block in found]


def lines_of(block):
    joined = block.replace("\\\n", " ")
    return [
        line.strip()
        for line in joined.splitlines()
        if line.strip() and not line.startswith("#")
    ]


class Process:
    """Something that prints."""

    def __init__(self, command, folder):
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "no_proxy": "127.0.0.1"},
            start_new_session=True,
        )
        self.printed = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while piece := os.read(self._process.stdout.fileno(), 4096):
            self.printed += piece.decode(errors="replace")

    def type(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def wait_for(self, text, times=1):
        until(
            lambda: self.printed.count(text) >= times,
            f"{text!r} was not printed {times} times in:\n{self.printed}",
            START_DEADLINE,
        )

    def end(self):
        try:
            os.killpg(self._process.pid, 9)  # and what it has started
        except ProcessLookupError:
            pass
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()


class ReadMe(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="troupe-readme-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "build/release").mkdir(parents=True)
        program = self.folder / "build/release/troupe"
        program.symlink_to(Path(binary()).resolve())
        # As ./run does it.
        self.node = Process(
            ["build/release/troupe", "serve", "--data", "./data"], self.folder
        )
        self.addCleanup(self.node.end)
        self.node.wait_for("troupe ready")
        self.shell = Process(["bash"], self.folder)
        self.addCleanup(self.shell.end)
        self.listening = 0
        self.typed = 0

    def subscriptions(self):
        with urllib.request.urlopen(ADMIN + "/interest", timeout=10) as answer:
            return json.load(answer)["subscriptions"]

    def run_line(self, line):
        if not line.endswith("&"):
            self.typed += 1
            self.shell.type(f"{line}; echo \"done {self.typed}: $?\"")
            self.shell.wait_for(f"done {self.typed}: 0\n")
            return
        self.listening += 1
        self.shell.type(line)
        until(
            lambda: self.subscriptions() >= self.listening,
            f"nobody listens: {line}\n{self.shell.printed}",
        )

    def test_a_message_moves(self):
        inbox, channels, mqtt = blocks("See a message move")
        self.assertTrue(inbox[-1].startswith("./troupe inbox tail "), inbox)
        for line in inbox[:-1]:
            self.run_line(line)
        self.shell.type(inbox[-1] + " &")  # runs until it is stopped
        self.shell.wait_for("hello, Bob")

        for line in channels:
            self.run_line(line)
        self.shell.wait_for("hello, all", 2)  # the program and curl
        self.shell.wait_for("hello again", 2)

        self.assertTrue(any("mosquitto_sub" in line for line in mqtt), mqtt)
        self.assertTrue(any("mosquitto_pub" in line for line in mqtt), mqtt)
        for line in mqtt:
            self.run_line(line)
        # And to those who listened by other doors.
        self.shell.wait_for("hello by MQTT", 3)

    def test_the_commands_of_mqtt_alone(self):
        mqtt = blocks("See a message move")[2]
        for line in mqtt:
            self.run_line(line)
        self.shell.wait_for("hello by MQTT\n")


if __name__ == "__main__":
    unittest.main()
