#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what arrives in a user's inbox, each message once:

    tail.py SERVER[,SERVER...] USER DEVICE"""

import asyncio
import sys

from troupe_client import Inbox


async def main(servers, user, device):
    async with Inbox(
        servers.split(","),
        user=user,
        device=device,
        create=True,
        on_change=lambda change: print(
            change.state, change.server, change.reason or "", file=sys.stderr
        ),
    ) as inbox:
        async for delivery in inbox:
            print(f"{delivery.sender}: {delivery.text()}", flush=True)
            delivery.ack()  # only now: what was not printed comes again


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
