#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what is published to a channel ("" for all), by server-sent events or
multipart:

    listen.py SERVER[,SERVER...] CHANNEL [sse|msgbus]"""

import asyncio
import sys

from troupe_client import Channels


async def main(servers, channel, via="sse"):
    async with Channels(
        servers.split(","),
        via=via,
        on_change=lambda change: print(
            change.state, change.server, change.reason or "", file=sys.stderr
        ),
    ) as channels:
        async for message in await channels.subscribe(channel):
            who = f"{message.sender} " if message.sender else ""
            print(f"{who}at {message.channel}: {message.text()}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
