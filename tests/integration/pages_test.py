# SPDX-License-Identifier: Apache-2.0
"""The dashboard's files on the admin port, what a browser may do there on
behalf of other pages, and the tail that streams."""

import http.client
import json
import time
import unittest
from urllib.parse import urlsplit

from tests.integration.troupe_node import REQUEST_DEADLINE, TroupeNode

TOKEN = "token-of-the-pages-test"
PAGES = ("/", "/ui/dashboard.js", "/ui/dashboard.css", "/ui/icon.svg")


class OpenNode(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode(cls.settings)
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()

    def publish(self, topic="t", data="d", headers=None):
        return self.node.request(
            "POST", "/topics/publish", {"topic": topic, "data": data}, headers
        )


class Files(OpenNode):
    def test_all_are_there_and_guarded(self):
        types = set()
        for path in PAGES:
            answer = self.node.get(path)
            self.assertEqual(answer.status, 200, path)
            types.add(answer.headers["content-type"])
            policy = answer.headers["content-security-policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertIn("frame-ancestors 'none'", policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(
                answer.headers["x-content-type-options"], "nosniff"
            )
        self.assertEqual(len(types), 4)
        self.assertIn(b'id="page"', self.node.get("/").body)

    def test_what_a_browser_has_is_not_sent_again(self):
        first = self.node.get("/ui/dashboard.js")
        tag = first.headers["etag"]
        again = self.node.get("/ui/dashboard.js", {"If-None-Match": tag})
        self.assertEqual((again.status, again.body), (304, b""))
        other = self.node.get("/ui/dashboard.js", {"If-None-Match": '"x"'})
        self.assertEqual(other.body, first.body)

    def test_no_page_names_another_origin(self):
        for path in PAGES:
            text = self.node.get(path).text
            for word in ("https://", "http://"):
                for rest in text.split(word)[1:]:
                    # Names of vocabularies, which nobody asks for.
                    self.assertTrue(rest.startswith("www.w3.org/"), rest[:60])

    def test_other_methods(self):
        self.assertEqual(self.node.request("POST", "/", {}).status, 405)
        self.assertEqual(self.node.get("/ui/nothing.js").status, 404)


class ForeignPages(OpenNode):
    def test_changes_of_other_origins_are_refused(self):
        for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
            answer = self.publish(headers={"Origin": origin})
            self.assertEqual(answer.status, 403, origin)
        own = {"Origin": self.node.admin_url}
        self.assertEqual(self.publish(headers=own).status, 200)
        self.assertEqual(self.publish().status, 200)

    def test_pages_of_other_sites_read_nothing_but_may_lead_here(self):
        for site in ("cross-site", "same-site"):
            fetched = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "empty"}
            framed = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "iframe"}
            link = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "document"}
            self.assertEqual(self.node.get("/topics/tail", fetched).status, 403)
            self.assertEqual(self.node.get("/", framed).status, 403)
            self.assertEqual(self.node.get("/", link).status, 200)
            self.assertEqual(self.publish(headers=link).status, 403)
        own = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"}
        self.assertEqual(self.node.get("/nodes", own).status, 200)

    def test_names_that_were_pointed_here_are_refused(self):
        for host in ("evil.example:9090", "10.0.0.1", "127.evil.example", "[::2]"):
            answer = self.node.get("/nodes", {"Host": host})
            self.assertEqual(answer.status, 403, host)
        for host in ("localhost:9090", "127.0.0.1", "[::1]:9090", "LOCALHOST"):
            answer = self.node.get("/nodes", {"Host": host})
            self.assertEqual(answer.status, 200, host)


class WithToken(OpenNode):
    settings = {"admin.token": TOKEN}

    def test_files_need_none_and_everything_else_does(self):
        for path in PAGES:
            self.assertEqual(self.node.get(path).status, 200)
        self.assertEqual(self.node.get("/nodes").status, 401)
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        self.assertEqual(self.node.get("/nodes", bearer).status, 200)
        # Any name will do: who has the token is meant to be here.
        named = bearer | {"Host": "node1.example:9090"}
        self.assertEqual(self.node.get("/nodes", named).status, 200)
        foreign = bearer | {"Origin": "http://evil.example"}
        self.assertEqual(self.publish(headers=foreign).status, 403)


class Tail(OpenNode):
    def open(self, query="", at=None):
        at = urlsplit((at or self.node).admin_url)
        wire = http.client.HTTPConnection(
            at.hostname, at.port, timeout=REQUEST_DEADLINE
        )
        self.addCleanup(wire.close)
        accept = {"Accept": "text/event-stream"}
        wire.request("GET", f"/topics/tail{query}", headers=accept)
        answer = wire.getresponse()
        if answer.status == 200:
            self.assertEqual(
                answer.headers["Content-Type"], "text/event-stream"
            )
            # A sign of life: it listens.
            self.assertTrue(answer.readline().startswith(b": "))
        return wire, answer

    def open_at_last(self, query):
        """Those of other tests may be on their way out still."""
        end = time.monotonic() + REQUEST_DEADLINE
        while True:
            wire, answer = self.open(query)
            if answer.status == 200:
                return wire, answer
            wire.close()
            self.assertLess(time.monotonic(), end, "nobody leaves")

    def event(self, answer):
        while True:
            line = answer.readline()
            self.assertTrue(line, "the stream has ended")
            if line.startswith(b"data: "):
                return json.loads(line[6:])

    def test_everything_comes_in_order_until_the_client_goes(self):
        _, answer = self.open_at_last("?filter=news/%23")
        self.publish("other", "not for us")
        for i in range(200):
            self.publish("news/sport", f"line {i}\nand more")
        for i in range(200):
            seen = self.event(answer)
            self.assertEqual(seen["topic"], "news/sport")
            self.assertEqual(seen["data"], f"line {i}\nand more")

    def test_who_has_gone_listens_no_more(self):
        wire, answer = self.open_at_last("?filter=gone")
        self.publish("gone")
        self.event(answer)
        self.assertEqual(self.publish("gone").json["filters"], 1)
        answer.close()
        wire.close()
        end = time.monotonic() + REQUEST_DEADLINE
        while self.publish("gone").json["filters"] > 0:
            self.assertLess(time.monotonic(), end, "it listens still")

    def test_a_node_stops_while_somebody_listens(self):
        node = TroupeNode()
        self.addCleanup(node.remove)
        node.start()
        _, answer = self.open("?filter=last", at=node)
        self.assertEqual(answer.status, 200)
        self.assertEqual(node.stop(), 0)

    def test_no_filter_is_refused(self):
        _, answer = self.open("?filter=a%2B")
        self.assertEqual(answer.status, 400)

    def test_no_more_than_so_many_listen(self):
        for _ in range(32):
            self.open_at_last("?filter=many")
        self.assertEqual(self.open("?filter=many")[1].status, 503)


if __name__ == "__main__":
    unittest.main()
