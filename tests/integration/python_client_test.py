# SPDX-License-Identifier: Apache-2.0
"""clients/python: its own tests, its types, and its programs at nodes and
clusters."""

import shutil
import subprocess
import tempfile
import unittest

from tests.integration import client_cases
from tests.integration.client_programs import (
    CLIENTS,
    python_client,
    python_readme,
)


def setUpModule():
    global client, folder
    client = python_client()
    folder = tempfile.mkdtemp(prefix="troupe-python-")
    unittest.addModuleCleanup(shutil.rmtree, folder)


class OwnTests(unittest.TestCase):
    def test_without_a_node(self):
        line, environment = client("")
        done = subprocess.run(
            [*line[:2], "-m", "unittest", "discover", "-s", "tests", "-t", "."]
            + ["-p", "*_test.py"],
            cwd=CLIENTS / "python",
            env=environment,
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("Ran 0 tests", done.stderr)

    def test_the_types_fit(self):
        mypy = shutil.which("mypy")
        if mypy is None:
            self.skipTest("mypy is not installed")
        with tempfile.TemporaryDirectory() as cache:
            done = subprocess.run(
                [mypy, "--strict", "--cache-dir", cache, "troupe_client"],
                cwd=CLIENTS / "python",
                capture_output=True,
                text=True,
            )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Node(client_cases.NodeCases):
    client = staticmethod(lambda name: client(name))
    readme = staticmethod(lambda url: python_readme(folder, url))


class ClusterOfThree(client_cases.ClusterCases):
    client = staticmethod(lambda name: client(name))


if __name__ == "__main__":
    unittest.main()
