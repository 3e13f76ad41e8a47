# SPDX-License-Identifier: Apache-2.0
"""clients/js: its own tests, its types, and its programs at nodes, at clusters
and in Chromium."""

import os
import shutil
import subprocess
import unittest

from tests.integration import client_cases
from tests.integration.client_programs import (
    javascript_client,
    javascript_folder,
    javascript_readme,
)
from tests.integration.troupe_node import TroupeNode


def setUpModule():
    global client, folder
    folder = javascript_folder()
    client = javascript_client(folder)


class OwnTests(unittest.TestCase):
    def run_script(self, name, **environment):
        done = subprocess.run(
            ["npm", "run", "--silent", name],
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_without_a_node(self):
        self.assertNotIn("tests 0", self.run_script("test"))

    def test_the_types_say_what_may_be_written(self):
        self.run_script("types")

    def test_in_a_page_without_a_bundler(self):
        chromium = shutil.which("chromium")
        if chromium is None:
            self.skipTest("chromium is not installed")
        node = TroupeNode({"files.root": str(folder)})
        self.addCleanup(node.remove)
        node.start()
        out = self.run_script(
            "browser",
            TROUPE_TEST_CHROMIUM=chromium,
            TROUPE_TEST_URL=client_cases.url(node),
        )
        self.assertNotIn("tests 0", out)


class Node(client_cases.NodeCases):
    client = staticmethod(lambda name: client(name))
    readme = staticmethod(lambda url: javascript_readme(folder, url))


class ClusterOfThree(client_cases.ClusterCases):
    client = staticmethod(lambda name: client(name))


if __name__ == "__main__":
    unittest.main()
