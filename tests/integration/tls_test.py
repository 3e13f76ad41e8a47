# SPDX-License-Identifier: Apache-2.0
"""TLS on the public port beside clear text, on a port of its own, and a change
of certificates that nobody notices."""

import asyncio
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from tests.integration.mq_case import MqCase
from tests.integration.mq_client import DEADLINE, MqClient, Transport


def make_certificate(folder, name):
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec",
            "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", f"/CN={name}",
            "-addext", "subjectAltName=DNS:localhost",
            "-keyout", str(key), "-out", str(certificate),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


class Tls(MqCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which("openssl") is None:
            raise unittest.SkipTest("the openssl command is not installed")
        folder = tempfile.TemporaryDirectory(prefix="troupe-tls-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.first = make_certificate(cls.folder, "first")
        cls.second = make_certificate(cls.folder, "second")
        cls.certificate = cls.folder / "server.crt"
        cls.key = cls.folder / "server.key"
        cls.install(cls.first)
        cls.settings = {
            "tls.certificate": cls.certificate,
            "tls.key": cls.key,
            "listen.tls": "127.0.0.1:0",
        }
        super().setUpClass()

    @classmethod
    def install(cls, pair):
        shutil.copy(pair[0], cls.certificate)
        shutil.copy(pair[1], cls.key)

    @staticmethod
    def trusting(*pairs):
        context = ssl.create_default_context()
        for certificate, _ in pairs:
            context.load_verify_locations(certificate)
        return context

    @staticmethod
    def der(pair):
        return ssl.PEM_cert_to_DER_cert(pair[0].read_text())

    async def test_both_framings_inside_tls_on_the_public_port(self):
        tls = self.trusting(self.first)
        clear = await self.user("clear")
        for transport in Transport:
            with self.subTest(transport=transport):
                alice = await self.user("alice", transport=transport, tls=tls)
                self.assertEqual(
                    alice.peer_certificate(), self.der(self.first)
                )
                data = bytes(1 << 20)
                self.assert_ok(await alice.post({clear.uid: 1}, data))
                self.assertTrue((await clear.take()).data == data)
                self.assert_ok(await clear.post({alice.uid: 1}, data))
                self.assertTrue((await alice.take()).data == data)
                end = await alice.close()
                self.assertTrue(end.close_frame)

    async def test_listener_for_tls_only(self):
        client = await MqClient.connect(
            self.node.address("tls"), tls=self.trusting(self.first)
        )
        self.addCleanup(client.vanish)
        uid = self.name("alice")
        await client.register(uid, "n0")
        await client.login(uid, "n0")
        self.assert_ok(await client.post({uid: 1}))
        await client.take()
        plain = await MqClient.connect(self.node.address("tls"))
        self.addCleanup(plain.vanish)
        await plain.send("register", userId="x", newNode="n0", aliases="")
        try:
            answer = await plain.read_to_end()
        except ConnectionError:
            answer = b""
        self.assertNotIn(b"registered", answer)

    async def test_old_versions_are_refused(self):
        context = self.trusting(self.first)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            await MqClient.connect(self.node.address(), tls=context)
        modern = self.trusting(self.first)
        modern.minimum_version = ssl.TLSVersion.TLSv1_3
        await self.user("modern", tls=modern)

    async def test_broken_handshake_harms_nobody(self):
        witness = await self.user("witness", tls=self.trusting(self.first))
        for junk in (b"\x16", b"\x16\x03\x01\xff\xff" + b"x" * 500):
            client = await self.connect()
            await client.send_bytes(junk)
            client.reset()
        # A client that does not trust us.
        with self.assertRaises(ssl.SSLError):
            await MqClient.connect(
                self.node.address(), tls=self.trusting(self.second)
            )
        await self.assert_next_is_marker(witness, witness)

    async def renewed(self, tls):
        """Workers are told of the reload, and the node says nothing of when
        each of them has it: until many connections in a row show it."""
        end = time.monotonic() + DEADLINE
        row = 0
        while row < 16:
            client = await MqClient.connect(self.node.address(), tls=tls)
            fresh = client.peer_certificate() == self.der(self.second)
            client.vanish()
            row = row + 1 if fresh else 0
            self.assertLess(time.monotonic(), end, "still the old certificate")

    async def test_reload_serves_the_new_certificate(self):
        both = self.trusting(self.first, self.second)
        old = await self.user("old", tls=both)
        self.assertEqual(old.peer_certificate(), self.der(self.first))
        self.install(self.second)
        self.node.signal(signal.SIGHUP)
        await asyncio.to_thread(self.node.wait_for_log, "reloaded")
        await self.renewed(both)
        new = await self.user("new", tls=both)
        self.assertEqual(new.peer_certificate(), self.der(self.second))
        await self.assert_next_is_marker(new, old)
        # A broken file changes nothing.
        self.certificate.write_text("no certificate")
        self.node.signal(signal.SIGHUP)
        await asyncio.to_thread(self.node.wait_for_log, "not reloaded")
        newest = await self.user("newest", tls=both)
        self.assertEqual(newest.peer_certificate(), self.der(self.second))
        await self.assert_next_is_marker(newest, old)
        self.install(self.first)
        self.node.signal(signal.SIGHUP)
        async with asyncio.timeout(DEADLINE):
            while True:
                last = await self.user("last", tls=both)
                if last.peer_certificate() == self.der(self.first):
                    break


if __name__ == "__main__":
    unittest.main()
