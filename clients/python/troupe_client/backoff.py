# SPDX-License-Identifier: Apache-2.0
"""How long to wait before the next attempt."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class BackoffOptions:
    first: float = 0.1  # seconds
    most: float = 15.0


class Backoff:
    """Doubled each time up to a bound, and of that a random part between half
    and all, so that the clients of a lost node do not come back in one
    moment. Seconds."""

    def __init__(
        self,
        options: BackoffOptions | None = None,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        options = options or BackoffOptions()
        if not 0 < options.first <= options.most:
            raise ValueError("backoff: 0 < first <= most")
        self._options = options
        self._uniform = uniform
        self._next = options.first

    def next(self) -> float:
        whole = self._next
        self._next = min(self._options.most, whole * 2)
        return whole / 2 + self._uniform() * whole / 2

    def reset(self) -> None:
        self._next = self._options.first
