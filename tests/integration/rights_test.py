# SPDX-License-Identifier: Apache-2.0
"""Credentials and rights from outside: a node alone, and three nodes on which
what an operator changes at one takes effect at all within a second."""

import asyncio
import base64
import hashlib
import hmac
import json
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from tests.integration.cluster_harness import ClusterCase, until
from tests.integration.mq_case import MqCase
from tests.integration.troupe_node import TroupeNode, binary, within

EFFECT_SECONDS = within(1.0)
JWT_SECRET = "a secret of the tests of rights"


def jwt(claims, secret=JWT_SECRET, algorithm="HS256"):
    def part(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=")

    text = b".".join(
        part(json.dumps(x).encode()) for x in ({"alg": algorithm}, claims)
    )
    made = hmac.new(secret.encode(), text, hashlib.sha256).digest()
    return (text + b"." + part(made)).decode()


class Rights:
    """What tests ask of the admin interface of a node."""

    def __init__(self, node):
        self.node = node

    def post(self, path, body, status=200):
        answer = self.node.request("POST", "/rights/" + path, body)
        if answer.status != status:
            raise AssertionError(f"{path}: {answer.status} {answer.text}")
        return answer.json

    def remove(self, path, status=200):
        answer = self.node.request("DELETE", "/rights/" + path)
        if answer.status != status:
            raise AssertionError(f"{path}: {answer.status} {answer.text}")

    def login(self, **shown):
        answer = self.post("login", {"address": "127.0.0.1", **shown})
        return answer["reason"]

    def check(self, **question):
        return self.post("check", {"address": "127.0.0.1", **question})

    def permitted(self, **question):
        return self.check(**question)["permitted"]


class OneNode(MqCase):
    settings = {
        "auth.jwt_secret": JWT_SECRET,
        "auth.grants": "publish:open/#,post:#",
        "auth.attempts_per_user": 3,
        "auth.attempts_per_address": 0,
    }

    def setUp(self):
        self.rights = Rights(self.node)

    async def run_troupe(self, *arguments, stdin=""):
        done = await asyncio.to_thread(
            subprocess.run,
            [
                binary(),
                *arguments,
                "--admin",
                self.node.addresses["admin"][7:],
            ],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    async def ask(self, function, *arguments, **named):
        return await asyncio.to_thread(function, *arguments, **named)

    async def test_a_password_lets_its_user_in(self):
        uid = self.name("anna")
        await self.run_troupe("user", "passwd", uid, stdin="secret\n")
        login = self.rights.login
        self.assertEqual(
            await self.ask(login, uid=uid, password="secret"), "none"
        )
        for password in ("Secret", "", "secret\n"):
            self.assertEqual(
                await self.ask(login, uid=uid, password=password),
                "wrong_credentials",
            )
        # Enough was tried: what is right is refused, too.
        self.assertEqual(
            await self.ask(login, uid=uid, password="secret"),
            "too_many_attempts",
        )
        other = self.name("bob")
        self.assertEqual(
            await self.ask(login, uid=other, password="x"), "wrong_credentials"
        )

    async def test_hashes_and_tokens_are_never_shown(self):
        uid = self.name("anna")
        await self.run_troupe("user", "passwd", uid, stdin="secret\n")
        token = (await self.run_troupe("token", "add", uid)).strip()
        secret = token.rsplit("_", 1)[1]
        for path in (
            "/rights/accounts",
            f"/rights/accounts/{uid}",
            "/rights/tokens",
        ):
            text = (await self.ask(self.node.get, path)).text
            self.assertIn(uid, text)
            self.assertNotIn("argon2", text)
            self.assertNotIn(secret, text)
            self.assertNotIn(
                hashlib.sha256(secret.encode()).hexdigest(), text
            )
        self.assertNotIn(secret, self.node.log())

    async def test_a_token_has_its_own_rights_and_is_revoked(self):
        uid = self.name("anna")
        token = (
            await self.run_troupe(
                "token", "add", uid, "--label", "lamp",
                "--grant", "publish:lamps/%u",
            )
        ).strip()
        self.assertIn("lamp", await self.run_troupe("token", "list", uid))
        check = self.rights.permitted
        shown = {"bearer": token, "right": "publish"}
        self.assertTrue(await self.ask(check, topic=f"lamps/{uid}", **shown))
        self.assertFalse(await self.ask(check, topic="open/x", **shown))
        self.assertEqual(await self.ask(self.rights.login, bearer=token), "none")
        await self.run_troupe("token", "revoke", token.split("_")[1])
        self.assertEqual(
            await self.ask(self.rights.login, bearer=token), "wrong_credentials"
        )

    async def test_a_token_expires(self):
        uid = self.name("anna")
        token = (
            await self.run_troupe("token", "add", uid, "--expires-in", "300ms")
        ).strip()
        await asyncio.to_thread(
            until,
            lambda: self.rights.login(bearer=token) == "expired",
            "a token that does not expire",
        )

    async def test_grants_come_and_go(self):
        uid = self.name("anna")
        check = self.rights.permitted
        mine = {"uid": uid, "right": "publish", "topic": "docs/a"}
        self.assertFalse(await self.ask(check, **mine))
        self.assertTrue(await self.ask(check, **{**mine, "topic": "open/a"}))
        role = self.name("editor")
        await self.run_troupe("grant", "add", "--role", role, "publish:docs/#")
        self.assertFalse(await self.ask(check, **mine))
        await self.run_troupe("role", "give", role, uid)
        self.assertTrue(await self.ask(check, **mine))
        self.assertIn("publish:docs/#", await self.run_troupe("role", "list"))
        self.assertIn(uid, await self.run_troupe("grant", "list"))
        await self.run_troupe("role", "remove", role)
        self.assertFalse(await self.ask(check, **mine))
        await self.run_troupe("grant", "add", "--user", uid, "subscribe:a/#")
        wants = {"uid": uid, "right": "subscribe"}
        self.assertTrue(await self.ask(check, filter="a/+/x", **wants))
        self.assertFalse(await self.ask(check, filter="#", **wants))
        answer = await self.ask(self.rights.check, filter="#", **wants)
        self.assertEqual(answer["reason"], "not_granted")
        self.assertIsNone(answer["by"])
        answer = await self.ask(self.rights.check, filter="a/+/x", **wants)
        self.assertEqual(answer["by"], "a/#")

    async def test_the_command_line_takes_back_what_it_gave(self):
        uid, other = self.name("anna"), self.name("bob")
        role = self.name("role")
        await self.run_troupe("grant", "add", "--user", uid, "call:a", "call:b")
        await self.run_troupe("grant", "remove", "--user", uid, "call:a")
        await self.run_troupe("role", "give", role, uid)
        await self.run_troupe("block", "add", uid, other)
        await self.run_troupe(
            "ban", "add", "--user", uid, "--for", "1h", "--reason", "spam"
        )
        account = await self.get_account(uid)
        self.assertEqual(account["grants"], ["call:b"])
        self.assertEqual(account["roles"], [role])
        self.assertEqual(account["blocked"], [other])
        self.assertEqual(account["ban"]["reason"], "spam")
        shown = await self.run_troupe("block", "list", uid)
        self.assertEqual(shown.split(), [other])
        self.assertIn("spam", await self.run_troupe("ban", "list"))
        await self.run_troupe("role", "take", role, uid)
        await self.run_troupe("grant", "remove", "--user", uid, "call:b")
        await self.run_troupe("block", "remove", uid, other)
        await self.run_troupe("ban", "lift", "--user", uid)
        gone = await self.ask(self.node.get, f"/rights/accounts/{uid}")
        self.assertEqual(gone.status, 404)
        address = "2001:db8::7"
        await self.run_troupe("ban", "add", "--address", "2001:DB8:0::7")
        self.assertEqual(
            await self.ask(self.rights.login, address=address), "address_banned"
        )
        await self.run_troupe("ban", "lift", "--address", address)
        self.assertEqual(
            await self.ask(self.rights.login, address=address), "no_credentials"
        )

    async def get_account(self, uid):
        return await self.ask(self.node.get_json, f"/rights/accounts/{uid}")

    async def test_signed_tokens_are_verified(self):
        claims = {"sub": self.name("anna"), "exp": time.time() + 60}
        login = self.rights.login
        self.assertEqual(await self.ask(login, bearer=jwt(claims)), "none")
        for bearer, why in (
            (jwt(claims, "another secret"), "wrong_credentials"),
            (jwt(claims, algorithm="none"), "wrong_credentials"),
            (jwt({**claims, "exp": time.time() - 60}), "expired"),
            (jwt({**claims, "nbf": time.time() + 60}), "not_yet_valid"),
            ("rubbish", "wrong_credentials"),
        ):
            self.assertEqual(await self.ask(login, bearer=bearer), why)
        bearer = jwt({**claims, "grants": ["publish:x"]})
        self.assertTrue(
            await self.ask(
                self.rights.permitted,
                bearer=bearer,
                right="publish",
                topic="x",
            )
        )

    async def test_clients_without_credentials_come_from_here_only(self):
        login = self.rights.login
        self.assertEqual(await self.ask(login), "none")
        self.assertEqual(
            await self.ask(login, address="192.0.2.1"), "no_credentials"
        )

    async def test_what_is_wrong_is_refused_with_a_reason(self):
        for path, body in (
            ("accounts", {"uid": "a", "op": "steal"}),
            ("accounts", {"uid": "a", "op": "give", "grants": ["eat:#"]}),
            ("accounts", {"uid": "", "op": "give", "roles": ["r"]}),
            ("roles", {"role": "r", "op": "give", "grants": ["publish:#/#"]}),
            ("bans", {"address": "nowhere"}),
            ("bans", {"uid": "a", "for_ms": -1}),
            ("tokens", {"uid": "a", "expires_in_ms": "soon"}),
            ("passwords", {"uid": "a", "password": ""}),
            ("check", {"uid": "a", "right": "eat", "topic": "x"}),
        ):
            answer = await self.ask(
                self.node.request, "POST", "/rights/" + path, body
            )
            self.assertEqual(answer.status, 400, (path, body))
        for path in ("tokens/none", "roles/none", "bans/users/none"):
            await self.ask(self.rights.remove, path, 404)

    async def test_metrics_count_by_reason(self):
        await self.ask(self.rights.login, bearer="rubbish")
        metrics = await asyncio.to_thread(self.node.metrics)
        name = 'troupe_auth_logins_refused_total{reason="wrong_credentials"}'
        self.assertGreater(metrics[name], 0)


class Keys(unittest.TestCase):
    def test_a_node_does_not_start_without_its_keys(self):
        with tempfile.TemporaryDirectory() as folder:
            keys = Path(folder) / "keys.json"
            keys.write_text('{"keys": []}')
            for path in (keys, Path(folder) / "none"):
                done = subprocess.run(
                    [
                        binary(), "serve", "--data", f"{folder}/data",
                        "--set", "listen.public=127.0.0.1:0",
                        "--set", "listen.admin=127.0.0.1:0",
                        "--set", f"auth.jwt_keys={path}",
                    ],
                    capture_output=True,
                    text=True,
                    timeout=60,
                )
                self.assertEqual(done.returncode, 1)
                self.assertIn(str(path), done.stderr + done.stdout)


class OpenToAll(unittest.TestCase):
    def test_a_node_says_that_anybody_may_come(self):
        for anonymous, listener, said in (
            ("allow", "0.0.0.0:0", True),
            ("allow", "127.0.0.1:0", False),
            ("loopback", "0.0.0.0:0", False),
        ):
            node = TroupeNode(
                {"auth.anonymous": anonymous, "listen.mq": listener}
            )
            self.addCleanup(node.remove)
            node.start()
            node.stop()
            self.assertEqual("without credentials" in node.log(), said)


class ThreeNodes(ClusterCase):
    async def asyncSetUp(self):
        await super().asyncSetUp()
        self.nodes = self.cluster()
        await asyncio.to_thread(self.nodes.found, ["n2", "n3"])
        await asyncio.to_thread(self.nodes.settled, {1, 2, 3})
        self.all = list(self.nodes.nodes.values())
        self.rights = [Rights(node) for node in self.all]

    async def soon(self, question, why):
        """True within the time that was promised."""
        begin = time.monotonic()
        await asyncio.to_thread(until, question, why, 30)
        self.assertLess(time.monotonic() - begin, EFFECT_SECONDS, why)

    async def test_a_change_takes_effect_on_every_node(self):
        post = self.rights[0].post
        mine = {"uid": "anna", "right": "admin", "topic": "x"}

        def everywhere(wanted):
            return lambda: all(
                r.permitted(**mine) == wanted for r in self.rights
            )

        self.assertTrue(everywhere(False)())
        change = {"uid": "anna", "op": "give", "grants": ["admin:#"]}
        await asyncio.to_thread(post, "accounts", change)
        await self.soon(everywhere(True), "a grant does not spread")
        await asyncio.to_thread(post, "accounts", {**change, "op": "take"})
        await self.soon(everywhere(False), "a grant stays")

    async def test_credentials_are_good_at_every_node_until_they_are_not(self):
        made = await asyncio.to_thread(
            self.rights[1].post, "tokens", {"uid": "anna"}, 201
        )
        shown = {"bearer": made["token"]}
        await self.soon(
            lambda: all(r.login(**shown) == "none" for r in self.rights),
            "a token does not spread",
        )
        await asyncio.to_thread(
            self.rights[2].remove, "tokens/" + made["id"]
        )
        await self.soon(
            lambda: all(
                r.login(**shown) == "wrong_credentials" for r in self.rights
            ),
            "a token that was revoked is good",
        )

    async def test_a_ban_ends_live_sessions_on_every_node(self):
        sessions = []
        for i, node in enumerate(self.all):
            client = await self.connect(node)
            uid = f"bad{i}"
            self.assertIsNone((await client.register(uid, "n0")).get("error"))
            client.vanish()
            sessions.append(await self.login_at(node, uid))
        good = await self.connect(self.all[1])
        self.assertIsNone((await good.register("good", "n0")).get("error"))
        await good.login("good", "n0")
        begin = time.monotonic()
        for i in range(len(sessions)):
            await asyncio.to_thread(
                self.rights[0].post, "bans", {"uid": f"bad{i}"}
            )
        for session in sessions:
            await session.expect_quit()
        self.assertLess(time.monotonic() - begin, EFFECT_SECONDS * 2)
        # Nobody else notices, and those who are banned do not come back.
        self.assertIsNone((await good.post({"good": 1}, b"x")).get("error"))
        for i, node in enumerate(self.all):
            client = await self.connect(node)
            await client.send("login", userId=f"bad{i}", nodeId="n0")
            answer = await client.receive()
            self.assertIn("not permitted", str(answer.header))
        await asyncio.to_thread(self.rights[2].remove, "bans/users/bad0")
        await self.login_at(self.all[0], "bad0")

    async def test_blocked_senders_reach_nobody_from_any_node(self):
        await self.register(self.all[0], "anna")
        await self.register(self.all[0], "bob")
        anna = await self.login_at(self.all[0], "anna")
        await asyncio.to_thread(
            self.rights[1].post,
            "blocks",
            {"uid": "anna", "op": "give", "blocked": ["bob"]},
        )
        for i, node in enumerate(self.all):
            def knows(rights=self.rights[i]):
                answer = rights.node.get("/rights/accounts/anna")
                return answer.status == 200 and answer.json["blocked"]

            await self.soon(knows, "a block does not spread")
            bob = await self.login_at(node, "bob")
            answer = await bob.post({"anna": 1}, b"hello")
            self.assertIsNone(answer.get("error"), answer)
            bob.vanish()
        await asyncio.to_thread(
            self.rights[2].post,
            "blocks",
            {"uid": "anna", "op": "take", "blocked": ["bob"]},
        )
        bob = await self.login_at(self.all[2], "bob")

        def lifted():
            answer = self.rights[2].node.get("/rights/accounts/anna")
            return answer.status == 404 or not answer.json["blocked"]

        await self.soon(lifted, "a block stays")
        await bob.post({"anna": 1}, b"at last")
        # The first that comes is the one behind the block.
        self.assertEqual((await anna.take()).data, b"at last")

    async def test_rights_outlive_a_restart(self):
        await asyncio.to_thread(
            self.rights[0].post, "passwords", {"uid": "anna", "password": "pw"}
        )
        node = self.all[2]
        await asyncio.to_thread(node.kill)
        await asyncio.to_thread(node.start)
        await asyncio.to_thread(
            until,
            lambda: self.rights[2].login(uid="anna", password="pw") == "none",
            "a password is forgotten",
        )


if __name__ == "__main__":
    unittest.main()
