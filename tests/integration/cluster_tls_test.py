# SPDX-License-Identifier: Apache-2.0
"""Links inside TLS with certificates that `troupe cluster certs` makes: who is
let in, and who is not."""

import asyncio
import shutil
import subprocess
import unittest

from tests.integration.cluster_harness import ClusterCase
from tests.integration.troupe_node import binary


def certs(folder, *nodes, more=()):
    """Runs the command; what it printed."""
    line = [binary(), "cluster", "certs", "--out", str(folder), *more]
    for node in nodes:
        line += ["--node", node]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


def settings_of(folder, node):
    return {
        "cluster__tls_certificate": folder / f"{node}.pem",
        "cluster__tls_key": folder / f"{node}.key",
        "cluster__tls_ca": folder / "ca.pem",
    }


def refusals(node, reason):
    return node.metrics()[f'troupe_links_refused_total{{reason="{reason}"}}']


class Tls(ClusterCase):
    async def test_three_nodes_with_certificates_of_the_command(self):
        cluster = self.cluster()
        folder = cluster.root / "certs"
        printed = certs(folder, "n1=127.0.0.1", "n2=127.0.0.1")
        for key in ("tls_certificate", "tls_key", "tls_ca"):
            self.assertIn(key, printed)
        if shutil.which("openssl"):
            for node in ("n1", "n2"):
                subprocess.run(
                    ["openssl", "verify", "-x509_strict", "-CAfile",
                     folder / "ca.pem", folder / f"{node}.pem"],
                    check=True, capture_output=True,
                )  # fmt: skip

        first = cluster.node("n1", **settings_of(folder, "n1")).start()
        cluster.node(
            "n2", join=[first], **settings_of(folder, "n2")
        ).start()
        # One that comes later is signed by the same authority.
        certs(folder, "n3=127.0.0.1")
        cluster.node(
            "n3", join=[first], **settings_of(folder, "n3")
        ).start()
        await asyncio.to_thread(cluster.settled, {1, 2, 3})
        for node in cluster.running():
            links = node.get_json("/links")["links"]
            self.assertEqual([link["encrypted"] for link in links], [True] * 2)

        users = ["anna", "bert", "carl"]
        for uid in users:
            await self.register(first, uid)
        poster = await self.login_at(cluster.nodes["n3"], "anna")
        for uid in users[1:]:
            ack = await poster.post({uid: 1}, f"hello {uid}".encode())
            self.assertIsNone(ack.get("error"), ack)
            await self.read(cluster, uid, {f"hello {uid}"})
        poster.vanish()

        # A certificate of somebody else, though it knows the secret; and one
        # that trusts the right authority and has nothing of it to show.
        foreign = cluster.root / "foreign"
        certs(foreign, "n4=127.0.0.1")
        half = settings_of(foreign, "n4")
        half["cluster__tls_ca"] = folder / "ca.pem"
        before = refusals(first, "tls_failed")
        for name, settings in (
            ("n4", settings_of(foreign, "n4")), ("n5", half)
        ):  # fmt: skip
            stranger = cluster.node(name, join=[first], **settings)
            said = await asyncio.to_thread(self.refused_start, stranger)
            self.assertIn("TLS failed", said)
        self.assertIn("certificate verify failed", first.log())
        self.assertGreaterEqual(refusals(first, "tls_failed"), before + 2)

        # Plain peers, newcomers and members alike.
        before = refusals(first, "tls_required")
        plain = cluster.node("n6", join=[first])
        self.assertIn("TLS", await asyncio.to_thread(self.refused_start, plain))
        third = cluster.nodes["n3"]
        self.assertEqual(await asyncio.to_thread(third.stop), 0)
        for key in ("certificate", "key", "ca"):
            del third.settings[f"cluster.tls_{key}"]
        self.assertIn("TLS", await asyncio.to_thread(self.refused_start, third))
        self.assertGreater(refusals(first, "tls_required"), before)
        self.assertEqual(set(cluster.rows(first)), {1, 2, 3})

        # Renewed certificates need no restart of those that have a link.
        certs(folder, "n1=127.0.0.1", "n3=127.0.0.1", more=["--force"])
        third.settings.update(
            {k.replace("__", "."): v
             for k, v in settings_of(folder, "n3").items()}
        )  # fmt: skip
        await asyncio.to_thread(third.start)
        await asyncio.to_thread(cluster.settled, {1, 2, 3})


if __name__ == "__main__":
    unittest.main()
