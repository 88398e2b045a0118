"""Find names that are not settings, and guess which setting was meant."""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping

_PREFIX = "VESTIBULE_"
_TEST_PREFIX = "VESTIBULE_TEST_"
# Kubernetes and old Docker set these variables in every container, for a service that is called vestibule.
_KUBERNETES_NAME = re.compile(r"VESTIBULE(_\w+)?_(SERVICE_HOST|SERVICE_PORT\w*|PORT_\d+_(TCP|UDP|SCTP)\w*)")
# Names that people know from other programs.
_USUAL_ELSEWHERE = {
    "VESTIBULE_ENV": "NODE_ENV",
    "VESTIBULE_MODE": "NODE_ENV",
    "VESTIBULE_CORS_ORIGINS": "ORIGIN",
    "VESTIBULE_SECRET": "VESTIBULE_SECRET_KEY",
    "VESTIBULE_SMTP_HOST": "EMAIL_HOST",
}
# Settings that were removed before the first release, and what replaced them.
_FORMER = {
    "VESTIBULE_REGISTRATIONS_PER_NETWORK": "follows VESTIBULE_SIGN_INS_PER_NETWORK now, a fifth of it; set that",
    "VESTIBULE_MAIL_REQUESTS_PER_NETWORK": "follows VESTIBULE_SIGN_INS_PER_NETWORK now, two fifths of it; set that",
    "VESTIBULE_REFRESHES_PER_NETWORK": "follows VESTIBULE_SIGN_INS_PER_NETWORK now, four times it; set that",
    "VESTIBULE_ACCOUNT_REQUESTS_PER_NETWORK": "follows VESTIBULE_SIGN_INS_PER_NETWORK now, twice it; set that",
    "VESTIBULE_LETTERS_PER_NETWORK": "follows VESTIBULE_SIGN_INS_PER_NETWORK now, a fifth of it in an hour; set that",
    "VESTIBULE_PASSWORD_FAILURES_FREE": "is 20 now, or VESTIBULE_PASSWORD_FAILURES where that is less; set that",
    "VESTIBULE_PASSWORD_WAIT_SECONDS": "is 900 now; VESTIBULE_PASSWORD_FAILURES says how many tries there are",
    "VESTIBULE_HASH_QUEUE": "is 32 for each of VESTIBULE_HASH_THREADS now; set that",
    "VESTIBULE_SESSION_DAYS": "is 90 now, or VESTIBULE_HISTORY_DAYS where that is less; set that",
    "VESTIBULE_LETTER_DAYS": "is 30 now, or VESTIBULE_HISTORY_DAYS where that is less; set that",
    "VESTIBULE_EVENT_DAYS": "is VESTIBULE_HISTORY_DAYS now; set that",
    "VESTIBULE_DEVICE_DAYS": "is always 365 now; remove it",
    "VESTIBULE_SIGNING_KEY_BITS": "is part of VESTIBULE_SIGNING_ALGORITHM now, as RS256-2048 or RS256-4096; set that",
    "VESTIBULE_METRICS_PORT": "is VESTIBULE_METRICS now, a port such as 9464 or an address with it; set that",
    "VESTIBULE_METRICS_HOST": "is part of VESTIBULE_METRICS now, such as 0.0.0.0:9464; set that",
}
# Names in the file with these prefixes may be meant for Vestibule: the contract's settings have no VESTIBULE_ prefix.
_CONTRACT_PREFIXES = ("EMAIL_", "JWT_")


def unknown(given: Mapping[str, str], known: list[str]) -> Iterator[str]:
    """Yield a line for each name that has our prefix but is not a setting."""
    for name in sorted(given):
        has_prefix = name.upper().startswith((_PREFIX, "VESTIBULE-")) and not name.startswith(_TEST_PREFIX)
        if has_prefix and name not in known and not _set_by_kubernetes(name, given[name]):
            yield f"{name}: {_why_not(name.upper().replace('-', '_'), known)}"


def mistyped(of_file: Mapping[str, str], known: list[str], chosen: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each name in `.env` without our prefix that may be a typing error, with the setting that may be meant.

    The pair is only a hint, because other programs may use the file too. The environment is not searched: it is full of
    other programs' names. If the similar setting is set already (`chosen`), the name belongs to another program.
    """
    for name in sorted(set(of_file) - set(known)):
        meant = _meant_of_contract(name.upper().replace("-", "_"), known)
        if meant and meant not in chosen:
            yield name, meant


def _meant_of_contract(name: str, known: list[str]) -> str:
    """Return the setting that a name without our prefix may mean, or an empty text. Only a name with a prefix of the
    contract may differ from the setting by more than one slip.
    """
    of_contract = (each for each in known if not each.startswith(_PREFIX))
    near = next((each for each in of_contract if _at_most_one_slip(name, each)), "")
    return near or (_meant(name, known) if name.startswith(_CONTRACT_PREFIXES) else "")


def _at_most_one_slip(one: str, other: str) -> bool:
    """Return whether the names are equal, or differ by one letter that is missing, added or wrong, or by two swapped
    letters.
    """
    short, long = sorted((one, other), key=len)
    differing = (at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b)
    first = next(differing, len(short))
    rest_of_short, rest_of_long = short[first:], long[first:]
    one_added = rest_of_short == rest_of_long[1:]
    one_wrong = rest_of_short[1:] == rest_of_long[1:]
    swapped = rest_of_short[1:2] + rest_of_short[:1] + rest_of_short[2:]
    return one_added or one_wrong or swapped == rest_of_long


def _set_by_kubernetes(name: str, value: str) -> bool:
    """Return whether Kubernetes set this variable: by its name, or because it is a port given as a URL, such as
    VESTIBULE_PORT=tcp://10.0.0.1:80.
    """
    return _KUBERNETES_NAME.fullmatch(name) is not None or (name.endswith("_PORT") and "://" in value)


def _why_not(name: str, known: list[str]) -> str:
    """Return why the name is not a setting, and what to set instead."""
    if name in _FORMER:
        return _FORMER[name]
    meant = _meant(name, known)
    return f"there is no such setting; {f'did you mean {meant}?' if meant else 'docs/settings.md lists all settings'}"


def _meant(name: str, known: list[str]) -> str:
    """Return the setting that may be meant, or an empty text. Compares without the prefix, because with it all names
    are similar.
    """
    bare = {each.removeprefix(_PREFIX): each for each in known}
    near = difflib.get_close_matches(name.removeprefix(_PREFIX), bare, n=1, cutoff=0.7)
    return _USUAL_ELSEWHERE.get(name) or (bare[near[0]] if near else "")
