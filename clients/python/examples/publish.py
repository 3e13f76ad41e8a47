#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Publishes each line of standard input to a channel:

    publish.py SERVER[,SERVER...] CHANNEL [SENDER]"""

import asyncio
import sys

from troupe_client import Channels, TroupeError


async def main(servers, channel, sender=None):
    async with Channels(servers.split(","), user=sender) as channels:
        while line := await asyncio.to_thread(sys.stdin.readline):
            text = line.rstrip("\n")
            try:
                await channels.publish(channel, text)
                print("ok", text)
            except TroupeError as e:
                print("failed", text, repr(e))
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
