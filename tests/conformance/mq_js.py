# SPDX-License-Identifier: Apache-2.0
"""The npm client "ws" against /mq."""

import unittest

from tests.conformance.js_case import JavaScriptCase
from tests.integration.troupe_node import TroupeNode


class JavaScriptClient(JavaScriptCase):
    def test_ws_client(self):
        node = TroupeNode({"ws.deflate": "true"})
        self.addCleanup(node.remove)

        def environment(started):
            host, port = started.address()
            return {"TROUPE_MQ_URL": f"ws://{host}:{port}/mq"}

        self.run_node(node, "mq_ws.test.mjs", environment)


if __name__ == "__main__":
    unittest.main()
