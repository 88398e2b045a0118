"""Keep caches from giving one caller's answer to another: name in `Vary` what an answer depends on (RFC 9110, section
12.5.5; RFC 9111, section 4.1).
"""

from collections.abc import Iterable

from vestibule.client.verifier import Verifier

_NAME = "vary"
_EVERYTHING = "*"


def depends_on(verifier: Verifier) -> tuple[str, ...]:
    """Return the request headers by which a verifier's service knows its callers."""
    return ("Authorization", "Cookie") if verifier.cookie else ("Authorization",)


def vary(said: Iterable[str], names: Iterable[str]) -> str:
    """Return the value of `Vary` with what it said before and `names`."""
    before = [name.strip() for value in said for name in value.split(",") if name.strip()]
    if _EVERYTHING in before:
        return _EVERYTHING
    known = {name.lower() for name in before}
    return ", ".join([*before, *(name for name in names if name.lower() not in known)])


def varying(headers: Iterable[tuple[str, str]], names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the headers of a response with `names` in one `Vary`: some caches read only one."""
    given = list(headers)
    said = [value for name, value in given if name.lower() == _NAME]
    others = [(name, value) for name, value in given if name.lower() != _NAME] if said else given
    return [*others, ("Vary", vary(said, names))]


def varying_raw(headers: Iterable[tuple[bytes, bytes]], names: Iterable[str]) -> list[tuple[bytes, bytes]]:
    """Return the same for headers as ASGI has them."""
    given = list(headers)
    said = [value.decode("latin-1") for name, value in given if name.lower() == _NAME.encode()]
    others = [(name, value) for name, value in given if name.lower() != _NAME.encode()] if said else given
    return [*others, (_NAME.encode(), vary(said, names).encode("latin-1"))]
