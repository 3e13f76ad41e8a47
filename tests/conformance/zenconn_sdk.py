# SPDX-License-Identifier: Apache-2.0
"""Clients that behave as the first client library of ZenConn, over TLS: at one
node, and at three."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests.conformance.js_case import JavaScriptCase
from tests.integration.cluster_harness import Cluster, until
from tests.integration.rights_test import Rights
from tests.integration.tls_test import make_certificate
from tests.integration.zenconn_client import Refused, ZenconnClient

SECRET = "the applications' secret"


class ClientLibrary(JavaScriptCase):
    def setUp(self):
        if shutil.which("openssl") is None:
            self.skipTest("the openssl command is not installed")
        folder = tempfile.TemporaryDirectory(prefix="troupe-sdk-")
        self.addCleanup(folder.cleanup)
        certificate, key = make_certificate(Path(folder.name), "server")
        self.settings = {
            "zenconn__secret": SECRET,
            "listen__tls": "127.0.0.1:0",
            "tls__certificate": certificate,
            "tls__key": key,
        }
        self.cluster = Cluster()
        self.addCleanup(self.cluster.remove)

    def tokens(self, nodes):
        rights = Rights(nodes[0])
        grants = ["publish:$zenconn/all"]
        rights.post(
            "accounts", {"uid": "admin", "op": "give", "grants": grants}
        )
        made = {
            uid: rights.post("tokens", {"uid": uid}, status=201)["token"]
            for uid in ("admin", "client")
        }

        def known(node, token):
            try:
                with ZenconnClient.connect(node.address(), token):
                    return True
            except Refused:
                return False

        for node in nodes:
            for token in made.values():
                until(lambda n=node, t=token: known(n, t), "a token on its way")
        return made

    def run_at(self, nodes):
        folder = self.install()
        made = self.tokens(nodes)
        ports = [str(node.address("tls")[1]) for node in nodes]
        done = subprocess.run(
            ["node", "--test", "--test-reporter=spec", "zenconn_sdk.test.mjs"],
            cwd=folder,
            env={
                **os.environ,
                "NODE_TLS_REJECT_UNAUTHORIZED": "0",
                "TROUPE_ZENCONN_PORTS": ",".join(ports),
                "TROUPE_ZENCONN_SECRET": SECRET,
                "TROUPE_ZENCONN_ADMIN": made["admin"],
                "TROUPE_ZENCONN_CLIENT": made["client"],
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode != 0:
            self.fail(done.stdout + done.stderr + nodes[0].log())
        self.assertNotIn("tests 0", done.stdout)

    def test_zc01_at_one_node(self):
        self.run_at([self.cluster.node("n1", **self.settings).start()])

    def test_zc01_at_three_nodes(self):
        first = self.cluster.node("n1", **self.settings).start()
        for name in ("n2", "n3"):
            self.cluster.node(name, join=[first], **self.settings).start()
        self.cluster.settled({1, 2, 3})
        self.run_at(list(self.cluster.nodes.values()))


if __name__ == "__main__":
    unittest.main()
