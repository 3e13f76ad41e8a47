# SPDX-License-Identifier: Apache-2.0
"""What deliveries and messages have in common."""

import json
from typing import Any

Data = str | bytes | bytearray | memoryview


class Body:
    data: bytes

    def text(self) -> str:
        """UTF-8; what is none becomes U+FFFD."""
        return self.data.decode(errors="replace")

    def json(self) -> Any:
        """ValueError if it is no JSON."""
        return json.loads(self.data)
