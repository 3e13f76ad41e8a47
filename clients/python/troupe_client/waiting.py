# SPDX-License-Identifier: Apache-2.0
"""Deadlines."""

import asyncio
from collections.abc import Awaitable

from .errors import TimedOut


async def within(timeout: float | None, waiting: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout(timeout):
            await waiting
    except TimeoutError:
        raise TimedOut(f"nothing in {timeout} s") from None
