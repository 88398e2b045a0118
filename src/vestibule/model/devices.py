"""Devices in words that their owner knows, drawn from a closed list: what a client says of itself is a stranger's text,
and no stranger writes letters in our name.
"""

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


def describe(user_agent: str) -> str:
    """Such as `Firefox, Windows`; empty where nothing is recognised."""
    found = [next((name for mark, name in names if mark in user_agent), "") for names in (_PROGRAMS, _SYSTEMS)]
    return ", ".join(name for name in found if name)
