"""Read the Cookie header literally (RFC 6265, section 5.4): split at semicolons, nothing unquoted or decoded."""

from collections.abc import Collection, Iterator

RawHeaders = Collection[tuple[bytes, bytes]]
"""Header names in lower case, and values, as ASGI has them."""

ACCESS = "access_token"
REFRESH = "refresh_token"
SECOND_FACTOR = "second_factor"
HOST_PREFIX = "__Host-"
"""Prefix of cookie names that no other host of the domain can set (RFC 6265bis, section 4.1.3.2)."""


def read(headers: RawHeaders, name: bytes) -> str | None:
    """Return the cookie's value; None if it is missing or has two different values."""
    return read_in(joined(headers), name)


def pairs(headers: RawHeaders) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and value of every cookie in all Cookie headers."""
    return pairs_in(joined(headers))


def joined(headers: RawHeaders) -> bytes:
    """Return all Cookie headers as one (RFC 9113, section 8.2.3); empty if there is none."""
    return b"; ".join([content for header, content in headers if header == b"cookie"])


def read_in(header: bytes, name: bytes) -> str | None:
    """Return the cookie's value in a Cookie header; None if it is missing or has two different values.

    An attacker who can set a cookie for the whole domain can add one beside ours, but not remove ours. Of two values,
    nobody can tell which is ours. Other cookies in the header do not matter, even if they are malformed.
    """
    values = {value for key, value in pairs_in(header) if key == name}
    return values.pop().decode("latin-1") if len(values) == 1 else None


def pairs_in(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and value of every cookie in a Cookie header."""
    for pair in header.split(b";"):
        key, separator, value = pair.partition(b"=")
        if separator:
            yield key.strip(b" \t"), value.strip(b" \t")
