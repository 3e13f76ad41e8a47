# SPDX-License-Identifier: Apache-2.0
"""What on_change is told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

State = Literal["idle", "connecting", "open", "waiting", "closed"]


@dataclass(frozen=True)
class Change:
    state: State
    server: str  # host:port of the one it is about
    reason: str | None = None  # why it is waiting or closed
    # Inbox, open: something behind the cursor is gone (expired, dropped, or
    # acknowledged elsewhere).
    gap: bool = False


OnChange = Callable[[Change], None]
