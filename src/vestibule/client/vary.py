"""Keep caches from giving one caller's answer to another: name in `Vary` what an answer depends on (RFC 9110, section
12.5.5; RFC 9111, section 4.1).
"""

from collections.abc import Iterable

from vestibule.client.verifier import Verifier

_NAME = "vary"
_EVERYTHING = "*"


def caller_headers(verifier: Verifier) -> tuple[str, ...]:
    """Return the request headers in which a service with this verifier finds the caller's token."""
    return ("Authorization", "Cookie") if verifier.cookie else ("Authorization",)


def vary_value(values: Iterable[str], names: Iterable[str]) -> str:
    """Return the value of one `Vary` header with the names in the old headers' `values`, and with `names`."""
    old_names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    if _EVERYTHING in old_names:
        return _EVERYTHING
    known = {name.lower() for name in old_names}
    return ", ".join([*old_names, *(name for name in names if name.lower() not in known)])


def with_vary(headers: Iterable[tuple[str, str]], names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the headers of a response, with `names` and all old values in one `Vary`: some caches read only one."""
    given = list(headers)
    values = [value for name, value in given if name.lower() == _NAME]
    others = [(name, value) for name, value in given if name.lower() != _NAME] if values else given
    return [*others, ("Vary", vary_value(values, names))]


def with_vary_raw(headers: Iterable[tuple[bytes, bytes]], names: Iterable[str]) -> list[tuple[bytes, bytes]]:
    """Do the same as `with_vary` for headers in ASGI's form."""
    given = list(headers)
    values = [value.decode("latin-1") for name, value in given if name.lower() == _NAME.encode()]
    others = [(name, value) for name, value in given if name.lower() != _NAME.encode()] if values else given
    return [*others, (_NAME.encode(), vary_value(values, names).encode("latin-1"))]
