# SPDX-License-Identifier: Apache-2.0
"""The command line: client commands, admin commands, configuration, and what
it says to somebody who mistypes."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests.integration.troupe_node import TroupeNode, binary

DEADLINE = 60
USAGE = 2  # exit code for what was typed wrong
TOKEN = "cli-token"


def troupe(*arguments, input=None, **environment):
    """A finished run of the binary."""
    return subprocess.run(
        [binary(), *map(str, arguments)],
        input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env={**os.environ, **environment},
    )


class CliCase(unittest.TestCase):
    def ok(self, *arguments, **options):
        """What a run that must succeed printed."""
        done = troupe(*arguments, **options)
        self.assertEqual(
            done.returncode, 0, (arguments, done.stdout, done.stderr)
        )
        return done.stdout

    def refused(self, *arguments, code=USAGE, **options):
        """What a run that must be refused said."""
        done = troupe(*arguments, **options)
        self.assertEqual(
            done.returncode, code, (arguments, done.stdout, done.stderr)
        )
        return done.stderr


class Typed(CliCase):
    """Without a node."""

    def test_version(self):
        self.assertRegex(self.ok("version"), r"\Atroupe \d+\.\d+\.\d+\n")
        self.assertRegex(self.ok("--version"), r"\Atroupe \d+\.\d+\.\d+\n")

    def test_help_names_every_command(self):
        text = self.ok("--help")
        for word in ("serve", "post", "ping", "inbox", "user", "list",
                     "session", "config", "bench", "version"):
            self.assertIn(word, text)
            if word != "bench":
                self.ok(word, "--help")

    def test_nothing_typed_shows_the_help(self):
        done = troupe()
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("serve", done.stdout + done.stderr)

    def test_mistyped_words_are_answered_with_the_right_ones(self):
        for arguments, meant in (
            (("sevre",), "serve"),
            (("serve", "--lisen", "127.0.0.1:0"), "--listen"),
            (("serve", "--set", "mq.login_timout=1s"), "mq.login_timeout"),
            (("serve", "--set", "inbox.overflow=refuze"), "refuse"),
            (("user", "ad", "bob"), "add"),
            (("config", "explian"), "explain"),
            (("post", "--devise", "phone"), "--device"),
        ):
            with self.subTest(arguments=arguments):
                text = self.refused(*arguments)
                self.assertIn(f"did you mean '{meant}'?", text)

    def test_bad_values_are_named(self):
        for setting, word in (
            ("mq.login_timeout=fast", "duration"),
            ("mq.window_max=0", "window_max"),
            ("storage.quota_bytes=much", "size"),
            ("listen.public=nowhere", "listen.public"),
            ("nothing", "section.key=value"),
        ):
            with self.subTest(setting=setting):
                self.assertIn(
                    word, self.refused("serve", "--set", setting)
                )

    def test_missing_arguments_are_named(self):
        self.assertIn("--as", self.refused("post", "--to", "bob", "hello"))
        text = self.refused("post", "--as", "a", "--device", "d", "hello")
        self.assertIn("--to", text)

    def test_open_admin_interface_needs_a_token(self):
        text = self.refused("serve", "--admin", "0.0.0.0:0")
        self.assertIn("admin.token", text)

    def test_nobody_listens(self):
        for arguments in (
            ("ping", "--server", "127.0.0.1:1", "--as", "a", "--device", "d",
             "bobby", "hello"),
            ("user", "list", "--admin", "127.0.0.1:1"),
        ):
            text = self.refused(*arguments, code=1)
            self.assertIn("127.0.0.1:1", text)


class Configuration(CliCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="troupe-cli-")
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "troupe.toml"

    def test_default_file_is_valid(self):
        self.file.write_text(self.ok("config", "default"))
        self.ok("config", "check", self.file)

    def test_check_names_the_place(self):
        self.file.write_text(
            '[mq]\nlogin_timeout = "6s"\nretry_intervall = "10s"\n'
        )
        done = troupe("config", "check", self.file)
        self.assertEqual(done.returncode, USAGE)
        text = done.stdout + done.stderr
        self.assertIn(f"{self.file}:3:", text)
        self.assertIn("did you mean", text)
        self.assertIn("retry_interval", text)

    def test_explain_says_where_a_value_comes_from(self):
        self.file.write_text('[mq]\nlogin_timeout = "7s"\n')
        arguments = (
            "config", "explain", "mq.login_timeout", "--config", self.file
        )
        text = self.ok(*arguments)
        self.assertIn("7s", text)
        self.assertIn(str(self.file), text)
        text = self.ok(*arguments, TROUPE_MQ__LOGIN_TIMEOUT="8s")
        self.assertIn("8s", text)
        self.assertIn("TROUPE_MQ__LOGIN_TIMEOUT", text)
        text = self.ok(*arguments, "--set", "mq.login_timeout=9s",
                       TROUPE_MQ__LOGIN_TIMEOUT="8s")
        self.assertIn("9s", text)
        self.assertIn("--set", text)

    def test_secrets_are_not_shown(self):
        text = self.ok("config", "explain", "--set", "admin.token=" + TOKEN)
        self.assertNotIn(TOKEN, text)
        text = self.ok("config", "explain",
                       TROUPE_CLUSTER__SECRET="s3cr3t-of-the-cluster")
        self.assertNotIn("s3cr3t", text)

    def test_a_cluster_needs_a_secret(self):
        self.assertIn(
            "cluster.secret",
            self.refused("serve", "--cluster-listen", "127.0.0.1:0"),
        )
        self.assertIn(
            "--cluster-listen",
            self.refused("serve", "--join", "127.0.0.1:7001"),
        )


class WithNode(CliCase):
    @classmethod
    def setUpClass(cls):
        cls.node = TroupeNode({"admin.token": TOKEN})
        cls.addClassCleanup(cls.node.remove)
        cls.node.start()
        host, port = cls.node.address()
        cls.environment = {
            "TROUPE_SERVER": f"{host}:{port}",
            "TROUPE_ADMIN": cls.node.admin_url.removeprefix("http://"),
            "TROUPE_ADMIN_TOKEN": TOKEN,
        }

    @classmethod
    def tearDownClass(cls):
        if cls.node.stop() != 0:
            raise AssertionError(cls.node.log())

    def ok(self, *arguments, **options):
        return super().ok(*arguments, **{**self.environment, **options})

    def refused(self, *arguments, **options):
        return super().refused(*arguments, **{**self.environment, **options})

    def add(self, uid, *aliases):
        more = [word for a in aliases for word in ("--alias", a)]
        self.ok("user", "add", uid, "--device", "n0", *more)

    @staticmethod
    def as_user(uid):
        return "--as", uid, "--device", "n0"

    def tail(self, uid, count, *more):
        text = self.ok(
            "inbox", "tail", *self.as_user(uid), "--count", count, "--json",
            *more,
        )
        return [json.loads(line) for line in text.splitlines()]

    def test_post_and_tail(self):
        self.add("alice1")
        self.add("bob1")
        self.ok("post", *self.as_user("alice1"), "--to", "bob1", "hello")
        self.ok("post", *self.as_user("alice1"), "--to", "bob1",
                "--etc", '{"subject":"hi"}', "-", input="from a pipe")
        first, second = self.tail("bob1", 2, "--no-ack", "--window", 2)
        self.assertEqual(first["from"], "alice1")
        self.assertEqual(first["data"], "hello")
        self.assertEqual(second["data"], "from a pipe")
        self.assertEqual(json.loads(second["etc"]), {"subject": "hi"})
        again = self.tail("bob1", 2)
        self.assertEqual(
            [m["id"] for m in again], [first["id"], second["id"]]
        )

    def test_plain_tail_shows_the_text(self):
        self.add("bob2")
        self.ok("post", *self.as_user("bob2"), "--to", "bob2", "to myself")
        text = self.ok("inbox", "tail", *self.as_user("bob2"), "--count", 1)
        self.assertIn("to myself", text)

    def test_create_registers_on_the_way(self):
        self.ok("post", *self.as_user("carol3"), "--create", "--to", "carol3",
                "first words")
        self.assertIn("first words", str(self.tail("carol3", 1)))

    def test_ping(self):
        self.add("bob4", "bobby4")
        self.ok("ping", *self.as_user("bob4"), "bobby4", "are you there")
        self.assertIn("are you there", str(self.tail("bob4", 1)))
        text = self.refused(
            "ping", *self.as_user("bob4"), "nobody4", "x", code=1
        )
        self.assertIn("alias not defined", text)

    def test_failed_posts_say_why(self):
        self.add("bob5")
        text = self.refused(
            "post", *self.as_user("bob5"), "--to", "ghost5", "x", code=1
        )
        self.assertIn("userId unknown", text)
        text = self.refused(
            "post", "--as", "ghost5", "--device", "n0", "--to", "bob5", "x",
            code=1,
        )
        self.assertIn("userId unknown", text)

    def test_users(self):
        self.add("bob6", "b6", "bobby6")
        shown = json.loads(self.ok("user", "show", "bob6", "--json"))
        self.assertEqual(sorted(shown["aliases"]), ["b6", "bobby6"])
        self.assertIn("bobby6", self.ok("user", "show", "bob6"))
        self.assertIn("bob6", self.ok("user", "list", "bob6"))
        self.assertNotIn("bob6", self.ok("user", "list", "zzz"))
        self.assertTrue(self.ok("user", "devices", "bob6"))
        text = self.refused("user", "add", "bob6", "--device", "n0", code=1)
        self.assertIn("exists", text)
        self.ok("user", "remove", "bob6")
        self.assertIn("bob6", self.refused("user", "show", "bob6", code=1))

    def test_import_and_export(self):
        registry = {
            "uid": {"imp7": {"nodes": {"n0": 0}, "aliases": ["i7"]}},
            "alias": {"i7": "imp7"},
            "list": {"team7": {"imp7": 1}},
        }
        self.ok("user", "import", "-", input=json.dumps(registry))
        exported = json.loads(self.ok("user", "export"))
        self.assertEqual(exported["uid"]["imp7"], registry["uid"]["imp7"])
        self.assertEqual(exported["alias"]["i7"], "imp7")
        self.assertEqual(exported["list"]["team7"], {"imp7": 1})

    def test_lists(self):
        self.add("ann8")
        self.add("ben8")
        self.ok("list", "add", "team8", "ann8")
        self.ok("list", "add", "team8", "ben8")
        self.assertIn("team8", self.ok("list", "ls"))
        text = self.ok("list", "show", "team8")
        self.assertIn("ann8", text)
        self.assertIn("ben8", text)
        self.ok("post", *self.as_user("ann8"), "--list", "team8", "hi team")
        messages = self.tail("ben8", 1, "--no-ack")
        while "hi team" not in str(messages):  # announcements come first
            messages = self.tail("ben8", 1)
        self.ok("list", "remove", "team8", "ben8")
        self.assertNotIn("ben8", self.ok("list", "show", "team8"))

    def test_token_is_needed(self):
        text = self.refused("user", "list", code=1, TROUPE_ADMIN_TOKEN="no")
        self.assertIn("token", text.lower())


if __name__ == "__main__":
    unittest.main()
