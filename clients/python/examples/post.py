#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Posts each line of standard input to a user:

    post.py SERVER[,SERVER...] USER DEVICE RECIPIENT

"ok LINE" means that it is on stable storage; whatever server is lost meanwhile,
the line is posted once."""

import asyncio
import sys

from troupe_client import Inbox, TroupeError


async def main(servers, user, device, recipient):
    async with Inbox(
        servers.split(","),
        user=user,
        device=device,
        create=True,
        timeout=60,
        on_change=lambda change: print(
            change.state, change.server, change.reason or "", file=sys.stderr
        ),
    ) as inbox:
        while line := await asyncio.to_thread(sys.stdin.readline):
            text = line.rstrip("\n")
            try:
                receipt = await inbox.post(recipient, text)
                print("not reached" if receipt.unreached else "ok", text)
            except TroupeError as e:
                print("failed", text, repr(e))
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
