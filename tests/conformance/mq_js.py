# SPDX-License-Identifier: Apache-2.0
"""The npm client "ws" against /mq: installs it from the lock file beside the
test and runs Node's test runner on js/. Skipped without Node or a registry."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests.integration.troupe_node import TroupeNode

SOURCES = Path(__file__).parent / "js"
OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH")


class JavaScriptClient(unittest.TestCase):
    def install(self):
        """A copy of js/ with its packages, kept between runs by ctest."""
        if shutil.which("node") is None or shutil.which("npm") is None:
            self.skipTest("node and npm are not installed")
        folder = os.environ.get("TROUPE_TEST_JS_DIR")
        if folder is None:
            folder = tempfile.mkdtemp(prefix="troupe-js-")
            self.addCleanup(shutil.rmtree, folder)
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

    def test_ws_client(self):
        node = TroupeNode({"ws.deflate": "true"})
        self.addCleanup(node.remove)
        folder = self.install()
        node.start()
        host, port = node.address()
        done = subprocess.run(
            ["node", "--test", "--test-reporter=spec", "mq_ws.test.mjs"],
            cwd=folder,
            env={**os.environ, "TROUPE_MQ_URL": f"ws://{host}:{port}/mq"},
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            self.fail(done.stdout + done.stderr + node.log())
        self.assertEqual(node.stop(), 0)


if __name__ == "__main__":
    unittest.main()
