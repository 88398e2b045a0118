"""Names of settings that nobody reads, and which one was meant."""

import difflib
import re
from collections.abc import Iterator, Mapping

_PREFIX = "VESTIBULE_"
_TEST_PREFIX = "VESTIBULE_TEST_"
# What Kubernetes and old Docker tell every container about a service that is called vestibule.
_OF_A_SERVICE = re.compile(r"VESTIBULE(_\w+)?_(SERVICE_HOST|SERVICE_PORT\w*|PORT_\d+_(TCP|UDP|SCTP)\w*)")
_WORDS_OF_OTHERS = {
    "VESTIBULE_ENV": "NODE_ENV",
    "VESTIBULE_MODE": "NODE_ENV",
    "VESTIBULE_CORS_ORIGINS": "ORIGIN",
    "VESTIBULE_SECRET": "VESTIBULE_SECRET_KEY",
    "VESTIBULE_SMTP_HOST": "EMAIL_HOST",
}


def unknown(given: Mapping[str, str], known: list[str]) -> Iterator[str]:
    """A line for each name that begins like one of ours and is none."""
    for name in sorted(given):
        ours = name.upper().startswith((_PREFIX, "VESTIBULE-")) and not name.startswith(_TEST_PREFIX)
        if ours and name not in known and not _of_a_service(name, given[name]):
            yield f"{name}: there is no such setting{_hint(name.upper().replace('-', '_'), known)}"


def _of_a_service(name: str, value: str) -> bool:
    return _OF_A_SERVICE.fullmatch(name) is not None or (name.endswith("_PORT") and "://" in value)


def _hint(name: str, known: list[str]) -> str:
    """Which one may be meant; compared without the prefix, which would make all of them alike."""
    bare = {each.removeprefix(_PREFIX): each for each in known}
    near = difflib.get_close_matches(name.removeprefix(_PREFIX), bare, n=1, cutoff=0.7)
    meant = _WORDS_OF_OTHERS.get(name) or (bare[near[0]] if near else "")
    return f"; did you mean {meant}?" if meant else "; docs/settings.md lists those there are"
