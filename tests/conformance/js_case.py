# SPDX-License-Identifier: Apache-2.0
"""Tests in JavaScript: npm packages from the lock file in js/, and Node's test
runner. Skipped without Node or a registry."""

import os
import shutil
import subprocess
import unittest
from pathlib import Path

from tests.integration.npm_packages import installed

SOURCES = Path(__file__).parent / "js"


class JavaScriptCase(unittest.TestCase):
    def install(self):
        """A copy of js/ with its packages, kept between runs by ctest."""
        if shutil.which("node") is None or shutil.which("npm") is None:
            self.skipTest("node and npm are not installed")
        name = type(self).__module__.split(".")[-1]
        return str(installed(SOURCES, name, self.addCleanup))

    def run_node(self, node, script, environment):
        """Runs tests of js/ beside a node that is started for them, and stops
        it."""
        folder = self.install()
        node.start()
        done = subprocess.run(
            ["node", "--test", "--test-reporter=spec", script],
            cwd=folder,
            env={**os.environ, **environment(node)},
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            self.fail(done.stdout + done.stderr + node.log())
        self.assertEqual(node.stop(), 0)
