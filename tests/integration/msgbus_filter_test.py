# SPDX-License-Identifier: Apache-2.0
"""Who gets what of a channel: the filters of /msgbus/ by type and sender."""

import unittest

from tests.integration.msgbus_case import MsgbusCase
from tests.integration.msgbus_client import BOUNDARY, basic, publish


class FilterTest(MsgbusCase):
    def received(self, query, messages):
        """Which of (type, user, body) come through, in order."""
        wire = self.listen("/msgbus/filtered" + query)
        for kind, user, body in messages:
            fields = f"Content-Type: {kind}\r\n"
            if user:
                fields += basic(user, "x")
            publish(self.at, "/msgbus/filtered", body, fields)
        # Passes every filter of the tests below but the ones for nothing.
        seen = []
        while not wire.silent(0.15):
            data = wire.chunk()
            seen.append(data[: -len(BOUNDARY)].split(b"\n\n", 1)[1].decode())
        wire.close()
        return seen

    def test_mb07_types(self):
        kinds = (
            ("text/plain", "", "plain"),
            ("text/html", "", "html"),
            ("image/jpeg", "", "jpeg"),
            ("application/json", "", "json"),
            ("TEXT/PLAIN", "", "loud"),
            ("text/html; charset=x", "", "charset"),
        )
        everything = [k[2] for k in kinds]
        table = {
            "": everything,
            "?type=*": everything,
            "?type=%2A": everything,
            "?TYPE=*&type=none": everything,
            "?type=text/*,image/*": ["plain", "html", "jpeg", "charset"],
            "?type=text%2F%2A%2Cimage%2F%2A": ["plain", "html", "jpeg", "charset"],
            "?type=!text/*": [],
            "?type=*,!text/*": ["jpeg", "json", "loud"],
            "?type=!text/*,*": ["jpeg", "json", "loud"],
            "?type=": [],
            "?type=text/????": ["html"],
            "?type=text/html;+charset=x": ["charset"],
            "?type=*," + "a" * 1023: [],
            "?type=*," + "a" * 1022: everything,
        }
        for query, expected in table.items():
            with self.subTest(query=query[:40]):
                self.assertEqual(self.received(query, kinds), expected)

    def test_mb07_senders(self):
        kinds = (
            ("text/plain", "alice", "from alice"),
            ("text/plain", "bob", "from bob"),
            ("text/plain", "", "from nobody"),
        )
        table = {
            "?sender=*": ["from alice", "from bob", "from nobody"],
            "?sender=al*": ["from alice", "from nobody"],
            "?sender=*,!bob": ["from alice", "from nobody"],
            "?sender=": ["from nobody"],
            "?sender=Alice": ["from nobody"],
        }
        for query, expected in table.items():
            with self.subTest(query=query):
                self.assertEqual(self.received(query, kinds), expected)


class StrictSendersTest(MsgbusCase):
    settings = {"msgbus.strict_senders": "true"}

    def test_who_has_no_name_is_kept_out(self):
        wire = self.listen("/msgbus/strict?sender=a*")
        all_of_them = self.listen("/msgbus/strict?sender=*")
        publish(self.at, "/msgbus/strict", "nobody")
        publish(
            self.at,
            "/msgbus/strict",
            "alice",
            basic("alice", "") + "Content-Type: text/plain\r\n",
        )
        self.assertIn(b"\n\nalice--", wire.chunk())
        self.assertIn(b"\n\nnobody--", all_of_them.chunk())


if __name__ == "__main__":
    unittest.main()
