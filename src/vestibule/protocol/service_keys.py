"""The form of service keys, which the server makes and the kit sends, and how to hide them in messages."""

import re

PREFIX = "vsk_"
"""Marks a secret as Vestibule's, for people and for programs that scan for leaked secrets."""

_KEY = re.compile(rf"{PREFIX}[A-Za-z0-9_-]*")


def hide_keys(text: str) -> str:
    """Return the text with `vsk_…` in the place of every service key, for messages that repeat what was given."""
    return _KEY.sub(f"{PREFIX}…", text)
