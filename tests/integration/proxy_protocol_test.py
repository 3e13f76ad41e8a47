# SPDX-License-Identifier: Apache-2.0
"""The PROXY protocol, versions 1 and 2: whose address a connection has."""

import asyncio
import ipaddress
import struct
import unittest

from tests.integration.mq_case import MqCase
from tests.integration.mq_client import MqClient, Transport

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def version_1(source, source_port=5555):
    family = "TCP6" if ":" in source else "TCP4"
    here = "::1" if ":" in source else "127.0.0.1"
    return f"PROXY {family} {source} {here} {source_port} 8080\r\n".encode()


def version_2(source, command=1, extra=b""):
    address = ipaddress.ip_address(source)
    here = ipaddress.ip_address("::1" if address.version == 6 else "127.0.0.1")
    family = 0x21 if address.version == 6 else 0x11
    body = address.packed + here.packed + struct.pack(">HH", 5555, 8080) + extra
    head = struct.pack(">BBH", 0x20 | command, family, len(body))
    return SIGNATURE + head + body


class ProxyCase(MqCase):
    async def sessions(self):
        answer = await asyncio.to_thread(self.node.get, "/sessions")
        self.assertEqual(answer.status, 200)
        return answer.text

    async def refused(self, prelude):
        """Whether the connection is closed without an answer."""
        client = await MqClient.connect(self.node.address(), prelude=prelude)
        self.addCleanup(client.vanish)
        try:
            await client.send(
                "register", userId=self.name("x"), newNode="n", aliases=""
            )
            return b"registered" not in await client.read_to_end()
        except ConnectionError:
            return True


class Required(ProxyCase):
    settings = {
        "listen.proxy_protocol": "required",
        "mq.login_timeout": "2s",
    }

    async def test_address_is_the_announced_one(self):
        for prelude, source in (
            (version_1("192.0.2.7"), "192.0.2.7"),
            (version_1("2001:db8::7"), "2001:db8::7"),
            (version_2("192.0.2.8"), "192.0.2.8"),
            (version_2("2001:db8::8"), "2001:db8::8"),
            (version_2("192.0.2.9", extra=b"\x04\x00\x02xx"), "192.0.2.9"),
        ):
            for transport in Transport:
                with self.subTest(source=source, transport=transport):
                    alice = await self.user(
                        "alice", transport=transport, prelude=prelude
                    )
                    self.assertIn(source, await self.sessions())
                    await self.assert_next_is_marker(alice, alice)
                    await alice.close()

    async def test_health_checks_of_the_proxy(self):
        """LOCAL and UNKNOWN say: take the connection's own address."""
        for prelude in (
            b"PROXY UNKNOWN\r\n",
            SIGNATURE + b"\x20\x00\x00\x00",
            version_2("192.0.2.66", command=0),
        ):
            alice = await self.user("alice", prelude=prelude)
            self.assertNotIn("192.0.2.66", await self.sessions())
            await alice.close()

    async def test_broken_headers_are_refused(self):
        for prelude in (
            b"",
            b"PROXY TCP4 1.2.3 4.5.6.7 1 2\r\n",
            b"PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n",
            b"PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n",
            b"PROXY TCP4 " + b"x" * 200,
            SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),
            SIGNATURE + b"\x21\x11\x00\x02" + bytes(2),
        ):
            with self.subTest(prelude=prelude):
                self.assertTrue(await self.refused(prelude))

    async def test_header_may_arrive_in_pieces(self):
        client = await MqClient.connect(self.node.address())
        self.addCleanup(client.vanish)
        for byte in version_2("192.0.2.10"):
            await client.send_bytes(bytes((byte,)))
        await client.register(self.name("x"), "n0")


class Optional(ProxyCase):
    settings = {
        "listen.proxy_protocol": "optional",
        "listen.trusted_proxies": "127.0.0.2",
        "mq.login_timeout": "2s",
    }

    async def test_only_trusted_proxies_are_believed(self):
        await self.user(
            "alice", source="127.0.0.2", prelude=version_1("192.0.2.7")
        )
        self.assertIn("192.0.2.7", await self.sessions())
        self.assertTrue(await self.refused(version_1("192.0.2.99")))

    async def test_clients_without_a_proxy_are_served(self):
        alice = await self.user("alice")
        await self.assert_next_is_marker(alice, alice)


if __name__ == "__main__":
    unittest.main()
