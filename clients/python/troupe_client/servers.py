# SPDX-License-Identifier: Apache-2.0
"""The nodes a client may use."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

ServerList = str | Sequence[str]


@dataclass(frozen=True)
class Server:
    host: str
    port: int
    secure: bool
    base: str  # in front of every path, without a slash at its end

    @property
    def name(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def websocket(self, path: str) -> str:
        scheme = "wss" if self.secure else "ws"
        return f"{scheme}://{self.name}{self.base}{path}"


class Servers:
    """In the order they are tried; any of a cluster will do."""

    def __init__(self, given: ServerList) -> None:
        texts = [given] if isinstance(given, str) else list(given)
        if not texts:
            raise ValueError("servers: at least one is needed")
        self._all = [_parsed(text) for text in texts]
        self._at = 0

    def __len__(self) -> int:
        return len(self._all)

    @property
    def current(self) -> Server:
        return self._all[self._at]

    def move_on(self) -> None:
        self._at = (self._at + 1) % len(self._all)


def _parsed(text: str) -> Server:
    url = urlsplit(text)
    if url.scheme not in ("http", "https", "ws", "wss") or not url.hostname:
        raise ValueError(f"servers: {text} is no http, https, ws or wss URL")
    if url.username or url.query or url.fragment:
        raise ValueError(f"servers: {text} is more than an address")
    secure = url.scheme in ("https", "wss")
    port = url.port or (443 if secure else 80)
    return Server(url.hostname, port, secure, url.path.rstrip("/"))
