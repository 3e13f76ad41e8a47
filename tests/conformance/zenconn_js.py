# SPDX-License-Identifier: Apache-2.0
"""The npm client "ws" against ZenConn's door at /."""

import unittest

from tests.conformance.js_case import JavaScriptCase
from tests.integration.rights_test import Rights
from tests.integration.troupe_node import TroupeNode

SECRET = "the applications' secret"


class JavaScriptClient(JavaScriptCase):
    def test_ws_client(self):
        node = TroupeNode({"zenconn.secret": SECRET})
        self.addCleanup(node.remove)

        def environment(started):
            rights = Rights(started)
            grants = ["publish:$zenconn/all"]
            rights.post(
                "accounts", {"uid": "boss", "op": "give", "grants": grants}
            )
            boss = rights.post("tokens", {"uid": "boss"}, status=201)
            client = rights.post("tokens", {"uid": "client"}, status=201)
            host, port = started.address()
            return {
                "TROUPE_ZENCONN_URL": f"ws://{host}:{port}",
                "TROUPE_ZENCONN_SECRET": SECRET,
                "TROUPE_ZENCONN_BOSS": boss["token"],
                "TROUPE_ZENCONN_CLIENT": client["token"],
            }

        self.run_node(node, "zenconn_ws.test.mjs", environment)


if __name__ == "__main__":
    unittest.main()
