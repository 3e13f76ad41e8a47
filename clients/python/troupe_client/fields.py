# SPDX-License-Identifier: Apache-2.0
"""What a stream says of a publication."""

from typing import NamedTuple


class MessageFields(NamedTuple):
    channel: str | None
    sender: str | None
    type: str | None
    id: str | None
    data: bytes
