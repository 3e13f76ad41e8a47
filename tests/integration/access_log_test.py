# SPDX-License-Identifier: Apache-2.0
"""Z2: the access log in the combined format, and its files."""

import re
import signal
import tempfile
import threading
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from tests.integration.cluster_harness import until
from tests.integration.rights_test import Rights
from tests.integration.troupe_node import TroupeNode
from tests.integration.zenconn_client import Refused, ZenconnClient

# As parsers of this format have it.
COMBINED = re.compile(
    r"^(?P<addr>\S+) - (?P<user>\S+) "
    r"\[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "
    r'"(?P<request>[^"]*)" (?P<status>\d{3}) (?P<bytes>\d+) '
    r'"(?P<referer>[^"]*)" "(?P<agent>[^"]*)"$'
)


class Z2AccessLog(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "access.log"
        self.node = TroupeNode({"log.access": self.file})
        self.addCleanup(self.node.remove)
        self.node.start()
        self.at = self.node.address("public")

    def get(self, path, headers=None, data=None):
        request = urllib.request.Request(
            "http://{}:{}{}".format(*self.at, path), data, headers or {}
        )
        try:
            with urllib.request.urlopen(request) as answer:
                answer.read()
        except urllib.error.HTTPError as e:
            e.close()

    def lines(self, count):
        """As many as there are then, each read by a common parser."""

        def enough():
            text = self.file.read_text()
            return text if text.count("\n") >= count else None

        found = until(enough, f"{count} lines", deadline=10).splitlines()
        self.assertEqual(len(found), count, found)
        parsed = [COMBINED.match(line) for line in found]
        self.assertNotIn(None, parsed, found)
        return [p.groupdict() for p in parsed]

    def test_z2_a_line_for_each_request(self):
        token = Rights(self.node).post("tokens", {"uid": "anna"}, 201)["token"]
        self.get("/nowhere?a=b", {"Referer": "http://x/", "User-Agent": 'a"b'})
        self.get("/msgbus/a", {"Content-Type": "text/plain"}, b"hello")
        client = ZenconnClient.connect(
            self.at, token, headers={"User-Agent": "zen"}
        )
        with self.assertRaises(Refused):
            ZenconnClient.connect(self.at, "a guess")
        self.assertEqual(len(self.lines(3)), 3)  # one is not finished
        client.send_raw(b"x" * 1000)
        client.message()
        client.close()
        first, second, third, last = self.lines(4)
        self.assertEqual(first["request"], "GET /nowhere?a=b HTTP/1.1")
        self.assertEqual(first["status"], "404")
        self.assertEqual(first["referer"], "http://x/")
        self.assertEqual(first["agent"], r"a\x22b")
        self.assertEqual(first["user"], "-")
        self.assertEqual(first["addr"], "127.0.0.1")
        self.assertEqual(second["request"], "POST /msgbus/a HTTP/1.1")
        self.assertEqual(second["status"], "204")
        self.assertEqual(third["status"], "401")
        self.assertEqual(last["request"], "GET / HTTP/1.1")
        self.assertEqual(last["status"], "101")
        self.assertEqual(last["user"], "anna")
        self.assertEqual(last["agent"], "zen")
        self.assertGreater(int(last["bytes"]), 1000)

    def test_z2_counts_fit(self):
        def some():
            for _ in range(25):
                self.get("/nowhere")

        threads = [threading.Thread(target=some) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.lines(100)

    def test_z2_opened_again(self):
        for i, number in enumerate((signal.SIGUSR1, signal.SIGHUP)):
            self.get("/before")
            self.lines(1)
            self.file.rename(self.file.with_name(f"old{i}"))
            self.node.signal(number)
            until(self.file.exists, "the new file", deadline=10)
            self.get("/after")
            self.assertEqual(
                self.lines(1)[0]["request"], "GET /after HTTP/1.1"
            )
            self.file.unlink()
            self.node.signal(number)
            until(self.file.exists, "the next one", deadline=10)


if __name__ == "__main__":
    unittest.main()
