"""What an operator may choose about the HTTP face."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WebPolicy:
    """Which front-ends may call with credentials, and how careful to be about transport and documentation."""

    origins: frozenset[str]
    secure_cookies: bool
    interactive_docs: bool
