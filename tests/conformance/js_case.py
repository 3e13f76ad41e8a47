# SPDX-License-Identifier: Apache-2.0
"""Tests in JavaScript: npm packages from the lock file in js/, and Node's test
runner. Skipped without Node or a registry."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

SOURCES = Path(__file__).parent / "js"
OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")


class JavaScriptCase(unittest.TestCase):
    def install(self):
        """A copy of js/ with its packages, kept between runs by ctest."""
        if shutil.which("node") is None or shutil.which("npm") is None:
            self.skipTest("node and npm are not installed")
        folder = os.environ.get("TROUPE_TEST_JS_DIR")
        if folder is None:
            folder = tempfile.mkdtemp(prefix="troupe-js-")
            self.addCleanup(shutil.rmtree, folder)
        # Two of them may run at a time.
        folder = str(Path(folder) / type(self).__module__.split(".")[-1])
        shutil.copytree(
            SOURCES,
            folder,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("node_modules"),
        )
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--fetch-retries=1"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            if any(word in done.stderr for word in OFFLINE):
                self.skipTest("the npm registry can't be reached")
            self.fail(done.stderr)
        return folder

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
