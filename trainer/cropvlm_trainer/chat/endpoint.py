"""What one may choose of a call to an OpenAI-compatible endpoint; light to import, so that `--help` can name it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

HINTS = {
    401: "it does not take the key; name the variable that holds it with {flags}key-env",
    403: "the key may not use this model",
    404: "it has no such model or path; check {flags}model, and that {flags}url ends in /v1",
}
"""By statuses after which no other question can do better."""


@dataclass(frozen=True)
class Endpoint:
    url: str
    """Up to and with `/v1`."""
    model: str
    key: str | None = None
    """None sends no Authorization header."""
    longest_edge: int | None = None
    """Pixels that larger pictures are shrunk to; None sends them as they are."""
    max_tokens: int = 64
    concurrency: int = 8
    """Calls at one time."""
    timeout: float = 60.0
    """Seconds one call may take, its whole reply included."""
    tries: int = 5
    """Calls for one question; what fails in all of them is counted as failed."""
    backoff: float = 1.0
    """Seconds before the second try; twice as many before each further one."""
    patience: int = 16
    """Questions that may fail one after the other before the run is given up."""
    flags: str = "--target-"
    """How the command spells its options, for errors that name one: `{flags}url`, `{flags}model`, `{flags}key-env`."""

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise ValueError(f"{self.flags}url {self.url} must start with http:// or https://")

    def hint(self, status: int) -> str | None:
        """What to do about a status that no other question can escape; None for any other status."""
        return HINTS[status].format(flags=self.flags) if status in HINTS else None


def key_from(variable: str | None) -> str | None:
    """The key in this environment variable; None where none is named. Raises ValueError where it is not set."""
    if not variable:
        return None
    key = os.environ.get(variable)
    if not key:
        raise ValueError(f"the environment has no {variable}; set it to the endpoint's key")
    return key
