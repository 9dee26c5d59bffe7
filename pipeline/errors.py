"""Every deliberate exception of wirecopy.

WirecopyError
├── Misuse                  wrong option, setting or argument: the caller mends it        (exit 2)
├── Malformed               input that is not what it claims to be; kept and marked, never dropped
├── Refused                 we will not do it: an address, robots.txt, a size, a rule of ours
├── NotFound                nothing is stored under that name                             (exit 3)
└── Unavailable             a service does not answer; `retry_after` says when to ask again (exit 5)

Each class is a decision that a caller takes. A message says what happened and what to do next. Errors of libraries are
translated at the edge, `from` their cause; what is expected (a page that answers 404) is a value, not an exception.
"""


class WirecopyError(Exception):
    """Any deliberate failure; `exit_code` is what the command line ends with."""

    exit_code = 1


class Misuse(WirecopyError):
    """A wrong option, setting or argument."""

    exit_code = 2


class Malformed(WirecopyError):
    """Input that is not what it claims to be."""


class Refused(WirecopyError):
    """Something wirecopy will not do."""


class NotFound(WirecopyError):
    """Nothing is stored under that name."""

    exit_code = 3


class Unavailable(WirecopyError):
    """A service that does not answer; ask again after `retry_after` seconds, where that is known."""

    exit_code = 5

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
