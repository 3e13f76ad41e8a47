# SPDX-License-Identifier: Apache-2.0
"""What every client library must do at a real node and at a real cluster; a
test file a language runs them with its own programs."""

import itertools
import threading
import unittest

from tests.integration.client_programs import Program
from tests.integration.cluster_harness import Cluster
from tests.integration.troupe_node import TroupeNode

LINES = 400
KILL_AFTER = 100


def url(node):
    host, port = node.address()
    return f"http://{host}:{port}"


class ClientCase(unittest.TestCase):
    """`client` gives the command of a program by its name; `readme` those of
    the README's programs, at a node."""

    client = None
    readme = None

    @classmethod
    def setUpClass(cls):
        if cls.client is None:
            raise unittest.SkipTest("for its children")

    def program(self, name, *arguments):
        made = Program(type(self).client(name), *arguments)
        self.addCleanup(made.end)
        return made


class NodeCases(ClientCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.node = TroupeNode()
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()
        cls.url = url(cls.node)

    def post(self, *lines, to):
        """Posts them as anna and checks that they were taken."""
        program = self.program("post", self.url, "anna", "a-device", to)
        for line in lines:
            program.say(line)
        for line in lines:
            self.assertEqual(program.line(), f"ok {line}")
        self.assertEqual(program.finish(), 0)

    def test_a_device_in_use_is_waited_for(self):
        first = self.program("tail", self.url, "bob", "b-device")
        first.until("open ")
        second = self.program("tail", self.url, "bob", "b-device")
        said = second.until("waiting ")
        self.assertIn("node already active", said)
        first.end()
        second.until("open ")
        self.post("hello", to="bob")
        self.assertEqual(second.line(), "anna: hello")

    def test_a_message_is_shown_once_to_a_device(self):
        first = self.program("tail", self.url, "carl", "c-device")
        first.until("open ")
        self.post("one", "zwei é 😀", to="carl")
        self.assertEqual(first.line(), "anna: one")
        self.assertEqual(first.line(), "anna: zwei é 😀")
        first.end()
        self.post("three", to="carl")
        again = self.program("tail", self.url, "carl", "c-device")
        self.assertEqual(again.line(), "anna: three")

    def test_who_does_not_exist_is_named(self):
        program = self.program("post", self.url, "anna", "a-device", "nobody")
        program.say("x")
        self.assertEqual(program.line(), "not reached x")

    def test_a_wrong_device_ends_the_program_with_the_reason(self):
        self.program("tail", self.url, "dora", "d-device").until("open ")
        wrong = self.program("tail", self.url, "dora", "another")
        self.assertNotEqual(wrong.finish(), 0)
        said = "\n".join(wrong.rest())
        self.assertIn("nodeId unknown", said)

    def test_what_is_published_is_heard_by_both_doors(self):
        listeners = [
            self.program("listen", self.url, "news/a", "sse"),
            self.program("listen", self.url, "news/a", "msgbus"),
            self.program("listen", self.url, "", "sse"),
            self.program("listen", self.url, "", "msgbus"),
        ]
        for each in listeners:
            each.until("open ")
        publisher = self.program("publish", self.url, "news/a", "anna")
        for line in ("hello", "zwei é 😀", "three"):
            publisher.say(line)
            self.assertEqual(publisher.line(), f"ok {line}")
        self.assertEqual(publisher.finish(), 0)
        for each in listeners:
            for line in ("hello", "zwei é 😀", "three"):
                self.assertEqual(each.line(), f"anna at news/a: {line}")

    def test_what_the_readme_shows_works(self):
        inbox, channels = type(self).readme(self.url)
        bob = self.program("tail", self.url, "bob", "b-device")
        printer = self.program("tail", self.url, "printer", "p-device")
        erna = self.program("tail", self.url, "erna", "e-device")
        for each in (bob, printer, erna):
            each.until("open ")
        # Who posts to a list is in it.
        first = self.program("post", self.url, "alice", "a-device", "bob")
        first.until("open ")
        self.assertEqual(first.finish(), 0)
        for uid in ("alice", "erna"):
            edit = {"op": "add", "member": uid}
            added = self.node.request("POST", "/lists/staff/members", edit)
            self.assertEqual(added.status, 200, added.text)
        alice = Program(inbox)
        self.addCleanup(alice.end)
        bob.until("alice: hello", "stdout")
        printer.until("alice: bytes", "stdout")
        erna.until("alice: bytes", "stdout")
        post = self.program("post", self.url, "bob2", "b-device", "alice")
        post.say("hi")
        self.assertEqual(post.line(), "ok hi")
        said = alice.until("bob2 ", "stdout")
        self.assertRegex(said, "^bob2 hi (None|undefined)$")

        talk = Program(channels)
        self.addCleanup(talk.end)
        self.assertEqual(
            talk.line(), "alice text/plain; charset=utf-8 hello, all"
        )
        self.assertEqual(talk.finish(), 0, talk.rest())

    def test_an_idle_connection_is_kept(self):
        """Longer than the node waits for a silent client."""
        node = TroupeNode(
            {"ws.idle_timeout": "2s", "ws.ping_interval": "500ms"}
        )
        self.addCleanup(node.remove)
        node.start()
        tail = self.program("tail", url(node), "bob", "b-device")
        tail.until("open ")
        end = threading.Event()
        end.wait(4)  # the time itself is what is tested
        program = self.program("post", url(node), "anna", "a-device", "bob")
        program.say("still there?")
        self.assertEqual(tail.line(), "anna: still there?")
        self.assertEqual(tail.rest(), [])


class ClusterCases(ClientCase):
    def found(self, **settings):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        first = cluster.node("n1", **settings).start()
        for name in ("n2", "n3"):
            cluster.node(name, join=[first], **settings).start()
        cluster.settled({1, 2, 3})
        return cluster, [cluster.nodes[n] for n in ("n1", "n2", "n3")]

    def test_a_killed_node_costs_nothing_that_was_acknowledged(self):
        cluster, nodes = self.found()
        servers = ",".join(map(url, nodes))
        tail = self.program("tail", servers, "bob", "b-device")
        tail.until("open ")
        post = self.program("post", servers, "anna", "a-device", "bob")
        post.until("open ")
        taken = []
        for number in range(LINES):
            post.say(str(number))
        for number in range(LINES):
            taken.append(post.line())
            if number == KILL_AFTER:
                nodes[0].kill()  # both are there: it is the first of the list
        self.assertEqual(taken, [f"ok {n}" for n in range(LINES)])
        seen = [tail.line() for _ in range(LINES)]
        # Each once, and in the order of posting: the next is posted only
        # after the one before was taken.
        self.assertEqual(seen, [f"anna: {n}" for n in range(LINES)])
        for program in (tail, post):
            program.until("waiting ")
            opened = program.until("open ")
            self.assertNotIn(str(nodes[0].address()[1]), opened)
        # And nothing more: the next thing to arrive is the next to be posted.
        post.say("last")
        self.assertEqual(tail.line(), "anna: last")

    def test_clients_of_a_drained_node_go_elsewhere(self):
        cluster, nodes = self.found()
        servers = ",".join(map(url, nodes))
        tail = self.program("tail", servers, "bob", "b-device")
        self.assertIn(url(nodes[0])[7:], tail.until("open "))
        number = cluster.number_of(nodes[0])
        cluster.run(nodes[0], "node", "drain", str(number))
        while url(nodes[0])[7:] in tail.until("open "):
            pass
        program = self.program("post", servers, "anna", "a-device", "bob")
        program.say("hello")
        self.assertEqual(tail.line(), "anna: hello")

    def test_a_listener_goes_on_behind_the_last_message_it_had(self):
        cluster, nodes = self.found(msgbus__history_messages=1000)
        listener = self.program(
            "listen", ",".join(map(url, nodes[:2])), "news", "sse"
        )
        listener.until("open ")
        # The other node's history must have begun: it says so by replaying.
        self.reaches(nodes[2], nodes[:2])
        publisher = self.program("publish", url(nodes[2]), "news")
        count = itertools.count()
        heard = []
        for number in itertools.islice(count, 100):
            publisher.say(str(number))
            self.assertEqual(publisher.line(), f"ok {number}")
            if number == 50:
                heard += [listener.line() for _ in range(20)]
                nodes[0].kill()
        heard += [listener.line() for _ in range(100 - len(heard))]
        self.assertEqual(heard, [f"at news: {n}" for n in range(100)])

    def reaches(self, source, others):
        """What one node publishes is heard on the others: they are known
        there."""
        for node in others:
            probe = self.program("listen", url(node), "probe", "sse")
            probe.until("open ")
            heard = threading.Event()

            def listen(program=probe, heard=heard):
                program.line()
                heard.set()

            threading.Thread(target=listen, daemon=True).start()
            publisher = self.program("publish", url(source), "probe")
            for _ in range(600):
                publisher.say("x")
                publisher.line()
                if heard.wait(0.1):
                    break
            else:
                self.fail("the nodes do not hear each other")
