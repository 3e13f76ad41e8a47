# SPDX-License-Identifier: Apache-2.0
"""The chat and the dashboard in Debian's Chromium, without a window: Node's
test runner on web/tests. TROUPE_TEST_PICTURES names a folder for pictures of
what was seen. Fails without Node, npm and Chromium (scripts/install-packages
brings them); skipped as a whole if no registry of npm can be reached."""

import filecmp
import json
import os
import shutil
import subprocess
import unittest
from pathlib import Path

from tests.integration.cluster_harness import SHARDS, Cluster, until
from tests.integration.npm_packages import installed
from tests.integration.troupe_node import TroupeNode

WEB = Path(__file__).parents[2] / "web"
BUILT = ("index.html", "ui/dashboard.css", "ui/dashboard.js", "ui/icon.svg")
TOKEN = "token-of-the-web-test"


folder = None  # of a copy of web/ with its packages


def setUpModule():
    """The copy is kept between runs by ctest."""
    global folder
    for program in ("node", "npm", "chromium"):
        if shutil.which(program) is None:
            raise AssertionError(
                f"{program} is not installed: scripts/install-packages test"
            )
    folder = installed(WEB, "web", unittest.addModuleCleanup, ["dist"])


class WebCase(unittest.TestCase):
    def run_in_web(self, command, log=lambda: "", **environment):
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            self.fail(done.stdout + done.stderr + log())

    def run_browser(self, test, log, **environment):
        self.run_in_web(
            ["node", "--test", "--test-reporter=spec", f"tests/{test}"],
            log,
            TROUPE_TEST_CHROMIUM=shutil.which("chromium"),
            **environment,
        )


class Sources(WebCase):
    def test_the_reader_of_parts(self):
        self.run_in_web(["node", "--test", "tests/multipart.test.mjs"])

    def test_types(self):
        self.run_in_web(["npx", "--no-install", "tsc", "--noEmit"])

    def test_what_is_built_is_of_these_sources(self):
        """web/dist, which gets into the binary, is what Vite makes now."""
        made = folder / "made"
        self.run_in_web(
            ["npx", "--no-install", "vite", "build", "dashboard"],
            TROUPE_TEST_DIST=str(made),
        )
        there = {
            str(f.relative_to(made)) for f in made.rglob("*") if f.is_file()
        }
        self.assertEqual(there, set(BUILT))
        for name in BUILT:
            same = filecmp.cmp(made / name, WEB / "dist" / name, shallow=False)
            self.assertTrue(same, f"{name}: run npm run build in web/")


class Browsers(WebCase):
    """A cluster of `names`, whole."""

    names = ()

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.remove)
        cls.nodes = []
        for name in cls.names:
            cls.nodes.append(
                cls.cluster.node(
                    name, join=cls.nodes[:1], files__root=WEB / "chatdemo"
                ).start()
            )
        until(cls.whole, "a voter of every group at every node")

    @classmethod
    def whole(cls):
        groups = [
            group
            for node in cls.nodes
            for group in node.get_json("/shards")["shards"]
            if group["leader"] == node.get_json("/nodes")["self"]
        ]
        return len(groups) == SHARDS + 1 and all(
            len(group["voters"]) == len(cls.nodes) for group in groups
        )

    def log(self):
        return "\n".join(node.log() for node in self.nodes)

    def doors(self):
        return [f"http://{node.addresses['public']}" for node in self.nodes]


class Pages(Browsers):
    names = ("a", "b")

    def test_chat(self):
        """MB-18 and what belongs to it."""
        self.run_browser(
            "chat.test.mjs", self.log, TROUPE_TEST_CHATS=" ".join(self.doors())
        )

    def test_dashboard(self):
        locked = TroupeNode({"admin.token": TOKEN})
        self.addCleanup(locked.remove)
        locked.start()
        known = {
            "admin": self.nodes[0].admin_url,
            "doors": self.doors(),
            "locked": locked.admin_url,
            "token": TOKEN,
        }
        self.run_browser(
            "dashboard.test.mjs",
            lambda: self.log() + locked.log(),
            TROUPE_TEST_DASHBOARD=json.dumps(known),
        )


class ThreeNodes(Browsers):
    names = ("anna", "bert", "carl")

    def test_dashboard_of_a_cluster_that_loses_a_node(self):
        known = {
            "admins": [node.admin_url for node in self.nodes],
            "doors": self.doors(),
            "pids": [node.pid for node in self.nodes],
        }
        self.run_browser(
            "cluster.test.mjs",
            self.log,
            TROUPE_TEST_CLUSTER=json.dumps(known),
        )
        self.assertFalse(self.nodes[2].running())


if __name__ == "__main__":
    unittest.main()
