"""Devices: the secret by which a browser is known again; and words that its owner knows, drawn from a closed list.

What a client says of itself is a stranger's text, and no stranger writes letters in our name.
"""

from dataclasses import dataclass
from hashlib import sha256

# The first that is found counts: Edge also calls itself Chrome, and everything calls itself Safari.
_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("okhttp/", "Android app"),
    ("CFNetwork/", "iOS app"),
    ("python-", "Python"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


_TAG_CHARACTERS = 16
DEVICES_OF_ACCOUNT = 100
"""An account knows so many at most; one more, and the longest unseen is a stranger again."""
BEYOND_AT_ONCE = 500
"""Of an account that knows far more, as before there was a bound, so many are deleted at a sign-in."""


@dataclass(frozen=True)
class DeviceSecret:
    """What a browser keeps to be known again when it signs in to an account. It opens nothing."""

    account_id: str
    secret: str

    @property
    def tag(self) -> str:
        return device_tag(self.account_id)


def device_tag(account_id: str) -> str:
    """What the secret for an account is kept under. It tells nothing of the account's id."""
    return sha256(f"device:{account_id}".encode()).hexdigest()[:_TAG_CHARACTERS]


def describe(user_agent: str) -> str:
    """Such as `Firefox, Windows`; empty where nothing is recognised."""
    found = [next((name for mark, name in names if mark in user_agent), "") for names in (_PROGRAMS, _SYSTEMS)]
    return ", ".join(name for name in found if name)
