"""The settings of an OpenAI-compatible endpoint. This module imports nothing slow, because `--help` names defaults."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

HINTS = {
    401: "it does not take the key; name the variable that holds it with {flags}{key_env}",
    403: "the key may not use this model",
    404: "it has no such model or path; check {flags}model, and that {flags}url ends in /v1",
}
"""What to do about statuses that every further question would get too."""


@dataclass(frozen=True)
class Endpoint:
    url: str
    """Up to and including `/v1`."""
    model: str
    key: str | None = None
    """The API key; None sends no Authorization header."""
    longest_edge: int | None = None
    """Pixels to which larger pictures are shrunk; None sends them as they are."""
    max_tokens: int = 64
    concurrency: int = 8
    """Calls that may run at the same time."""
    timeout: float = 60.0
    """Seconds that one call may take, its whole reply included."""
    tries: int = 5
    """Calls for one prompt, the first one included; after that many failures the prompt has no answer."""
    backoff: float = 1.0
    """Seconds before the second call, doubled before each further one; up to as many again are added at random."""
    patience: int = 16
    """The run ends when this many prompts in a row have failed."""
    flags: str = "--target-"
    """What the command's options or the settings begin with, for messages that name `{flags}url` or `{flags}model`."""

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise ValueError(f"{self.flags}url {self.url} must start with http:// or https://")

    def hint(self, status: int) -> str | None:
        """What to do about a status that every further question would get too; None for any other status."""
        key_env = "key-env" if self.flags.startswith("--") else "key_env"
        return HINTS[status].format(flags=self.flags, key_env=key_env) if status in HINTS else None


def key_from(variable: str | None) -> str | None:
    """Returns the key in this environment variable, or None without a name.

    Raises ValueError where the variable is not set.
    """
    if not variable:
        return None
    key = os.environ.get(variable)
    if not key:
        raise ValueError(f"the environment has no {variable}; set it to the endpoint's key")
    return key
