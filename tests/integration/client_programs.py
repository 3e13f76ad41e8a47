# SPDX-License-Identifier: Apache-2.0
"""The example programs of a client library, with pipes at their ends: the same
arguments and the same lines in each language."""

import os
import queue
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import unittest
from pathlib import Path

from tests.integration.npm_packages import installed

CLIENTS = Path(__file__).parents[2] / "clients"
DEADLINE = float(os.environ.get("TROUPE_TEST_DEADLINE", "30")) * 4


def python_client():
    """The command of a program of clients/python by name."""
    folder = CLIENTS / "python"
    # The package is for the distribution's interpreter, which need not be the
    # one that runs the tests.
    for interpreter in (sys.executable, "/usr/bin/python3"):
        asked = [interpreter, "-c", "import websockets"]
        if os.access(interpreter, os.X_OK) and (
            subprocess.run(asked, stderr=subprocess.DEVNULL).returncode == 0
        ):
            break
    else:
        raise unittest.SkipTest("python3-websockets is not installed")
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return lambda name: (
        [interpreter, "-B", folder / "examples" / f"{name}.py"],
        environment,
    )


def javascript_folder():
    """A copy of clients/js with its packages, kept between runs by ctest."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise unittest.SkipTest("node and npm are not installed")
    return installed(CLIENTS / "js", "client", unittest.addModuleCleanup)


def readme_blocks(language, fence):
    """The programs that the README of a client shows."""
    text = (CLIENTS / language / "README.md").read_text()
    return re.findall(rf"(?ms)^```{fence}\n(.*?)^```$", text)


# What the READMEs take for granted; the names of hosts are exchanged.
READMES_PYTHON = """
import asyncio

async def main():
    device, data = "a-device", b"bytes"
    show = lambda *what: print(*what, flush=True)
"""
READMES_JAVASCRIPT = """
globalThis.location = { origin: 'SERVER' };
globalThis.localStorage = { device: 'a-device' };
const bytes = new TextEncoder().encode('bytes');
const show = console.log;
"""


def exchange_servers(text, url):
    hosts = r"https?://(?:[ab]\.example|127\.0\.0\.1:8080)|SERVER"
    return re.sub(hosts, url, text)


def python_readme(folder, url):
    """Commands of the README's programs."""
    line, environment = python_client()("")
    for number, block in enumerate(readme_blocks("python", "python")):
        path = Path(folder) / f"readme{number}.py"
        body = textwrap.indent(block, "    ")
        text = f"{READMES_PYTHON}\n{body}\nasyncio.run(main())\n"
        path.write_text(exchange_servers(text, url))
        yield [*line[:2], path], environment


def javascript_readme(folder, url):
    """In the package's folder, where its name is known."""
    for number, block in enumerate(readme_blocks("js", "js")):
        path = Path(folder) / f"readme{number}.mjs"
        path.write_text(exchange_servers(READMES_JAVASCRIPT + block, url))
        yield ["node", path], dict(os.environ)


def javascript_client(folder):
    return lambda name: (
        ["node", folder / "examples" / f"{name}.mjs"],
        dict(os.environ),
    )


class Program:
    """One that runs. Its output is read all the time."""

    def __init__(self, command, *arguments):
        line, environment = command
        self._process = subprocess.Popen(
            [*line, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._streams = {}
        self._readers = []
        for name in ("stdout", "stderr"):
            lines = self._streams[name] = queue.SimpleQueue()
            stream = getattr(self._process, name)
            reader = threading.Thread(
                target=self._read, args=(stream, lines), daemon=True
            )
            reader.start()
            self._readers.append(reader)

    @staticmethod
    def _read(stream, lines):
        with stream:
            for line in stream:
                lines.put(line.rstrip("\n"))
        lines.put(None)

    def say(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def finish(self):
        """No more input; the exit code."""
        self._process.stdin.close()
        return self._process.wait(DEADLINE)

    def line(self, stream="stdout"):
        """The next one; None at the end."""
        try:
            return self._streams[stream].get(timeout=DEADLINE)
        except queue.Empty:
            raise AssertionError(
                f"nothing on {stream} in {DEADLINE} s; stderr: {self.rest()}"
            ) from None

    def until(self, text, stream="stderr"):
        """Waits for a line that begins with it."""
        while (line := self.line(stream)) is not None:
            if line.startswith(text):
                return line
        raise AssertionError(f"{text!r} never came; {self.rest()}")

    def rest(self, stream="stderr"):
        """What is there and was not looked at."""
        lines = []
        while not self._streams[stream].empty():
            if (line := self._streams[stream].get()) is not None:
                lines.append(line)
        return lines

    def end(self):
        """Whatever it does just now."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(DEADLINE)
        if not self._process.stdin.closed:
            self._process.stdin.close()
        for reader in self._readers:
            reader.join(DEADLINE)
