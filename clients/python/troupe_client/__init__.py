# SPDX-License-Identifier: Apache-2.0
"""Client of the Troupe message broker: Inbox for what must not be lost,
Channels for what is said to whoever listens. Times are seconds."""

from .backoff import BackoffOptions
from .change import Change
from .channels import Channels
from .deliveries import Delivery
from .errors import (
    Closed,
    OutcomeUnknown,
    Overflow,
    Refused,
    TimedOut,
    TroupeError,
    Unreachable,
)
from .inbox import Inbox, Receipt
from .subscription import Message, Subscription

__all__ = [
    "BackoffOptions",
    "Change",
    "Channels",
    "Closed",
    "Delivery",
    "Inbox",
    "Message",
    "OutcomeUnknown",
    "Overflow",
    "Receipt",
    "Refused",
    "Subscription",
    "TimedOut",
    "TroupeError",
    "Unreachable",
]
