# SPDX-License-Identifier: Apache-2.0
"""The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), for tests."""

import base64
import hashlib
import hmac
import secrets

METHOD = "SCRAM-SHA-256"


def _hmac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


class ScramClient:
    def __init__(self, user, password, header="n,,", nonce=None):
        escaped = user.replace("=", "=3D").replace(",", "=2C")
        self.nonce = nonce or secrets.token_urlsafe(18)
        self._password = password.encode()
        self._header = header
        self.bare = f"n={escaped},r={self.nonce}"
        self.first = (header + self.bare).encode()
        self.salt = None
        self.iterations = None
        self._signature = None

    def final(self, challenge):
        """The answer to a server-first message."""
        told = challenge.decode()
        said = dict(each.split("=", 1) for each in told.split(","))
        assert said["r"].startswith(self.nonce) and said["r"] != self.nonce
        self.salt = base64.b64decode(said["s"], validate=True)
        self.iterations = int(said["i"])
        salted = hashlib.pbkdf2_hmac(
            "sha256", self._password, self.salt, self.iterations
        )
        header = base64.b64encode(self._header.encode()).decode()
        without_proof = f"c={header},r={said['r']}"
        proven = ",".join((self.bare, told, without_proof)).encode()
        key = _hmac(salted, b"Client Key")
        mask = _hmac(hashlib.sha256(key).digest(), proven)
        proof = bytes(a ^ b for a, b in zip(key, mask))
        self._signature = _hmac(_hmac(salted, b"Server Key"), proven)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def trusts(self, told):
        """Whether a server-final message proves that the server knows the
        password, too."""
        return told == b"v=" + base64.b64encode(self._signature)
