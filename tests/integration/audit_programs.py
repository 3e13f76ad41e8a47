# SPDX-License-Identifier: Apache-2.0
"""What tests of the audit log share: its commands, and clients of nodes that
keep one."""

import json
import subprocess

from tests.integration.mq_client import MqClient
from tests.integration.troupe_node import binary


def troupe(*arguments):
    return subprocess.run(
        [binary(), *arguments], capture_output=True, text=True, timeout=120
    )


def exported(folder):
    """All records of a folder, in order."""
    done = troupe("audit", "export", "--folder", str(folder))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def verified(folder, *arguments):
    done = troupe("audit", "verify", str(folder), "--json", *arguments)
    return done.returncode, json.loads(done.stdout)


async def logged_in(test, node, uid):
    """A new user's client, gone when the test is over."""
    client = await MqClient.connect(node.address())
    test.addCleanup(client.vanish)
    await client.register(uid, "n0")
    await client.login(uid, "n0")
    return client
