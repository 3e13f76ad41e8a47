# SPDX-License-Identifier: Apache-2.0
"""The npm client "mqtt" logs in by SCRAM-SHA-256, over TCP and WebSocket."""

import unittest

from tests.conformance.js_case import JavaScriptCase
from tests.integration.rights_test import Rights
from tests.integration.troupe_node import TroupeNode


class JavaScriptClient(JavaScriptCase):
    def test_mqtt_client(self):
        node = TroupeNode(
            {
                "listen.mqtt": "127.0.0.1:0",
                "auth.anonymous": "deny",
                "auth.scram_iterations": 10_000,
            }
        )
        self.addCleanup(node.remove)

        def environment(started):
            Rights(started).post(
                "passwords", {"uid": "anna", "password": "secret"}
            )
            return {
                "TROUPE_MQTT_TCP": "mqtt://{}:{}".format(
                    *started.address("mqtt")
                ),
                "TROUPE_MQTT_WS": "ws://{}:{}/mqtt".format(
                    *started.address()
                ),
            }

        self.run_node(node, "mqtt_auth.test.mjs", environment)


if __name__ == "__main__":
    unittest.main()
