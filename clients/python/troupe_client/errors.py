# SPDX-License-Identifier: Apache-2.0
"""What the client raises."""


class TroupeError(Exception):
    """All of these."""


class Refused(TroupeError):
    """The cluster said no. `temporary`: it may say yes later."""

    def __init__(self, reason: str, *, temporary: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.temporary = temporary


class Unreachable(TroupeError):
    """No server of the list could be reached; nothing was sent."""


class OutcomeUnknown(TroupeError):
    """The connection was lost behind the request: it may have been carried
    out."""


class TimedOut(TroupeError):
    """Not answered in time. `sent`: it may have been, or will be, carried
    out."""

    def __init__(self, message: str, *, sent: bool = False) -> None:
        super().__init__(message)
        self.sent = sent


class Overflow(TroupeError):
    """A bound of this client was reached; nothing was sent."""


class Closed(TroupeError):
    """The application has closed it."""
