"""Read the Cookie header to the letter (RFC 6265, section 5.4): pairs at semicolons, nothing unquoted or decoded."""

from collections.abc import Collection, Iterator

RawHeaders = Collection[tuple[bytes, bytes]]
"""Names in lower case and values, as ASGI has them."""

ACCESS = "access_token"
REFRESH = "refresh_token"
HOST_PREFIX = "__Host-"
"""A cookie whose name begins so no other host of the domain can have set (RFC 6265bis, section 4.1.3.2)."""


def read(headers: RawHeaders, name: bytes) -> str | None:
    """The cookie's value; None if it is not there, or there with two values.

    Somebody who can plant a cookie for the whole domain can add one beside ours, but not take ours away, so
    two values mean that one is not ours, and which one cannot be told. What else is in the header does not matter,
    however malformed.
    """
    values = {value for key, value in pairs(headers) if key == name}
    return values.pop().decode("latin-1") if len(values) == 1 else None


def pairs(headers: RawHeaders) -> Iterator[tuple[bytes, bytes]]:
    """Every cookie's name and value, of all Cookie headers."""
    for header, content in headers:
        if header != b"cookie":
            continue
        for pair in content.split(b";"):
            key, separator, value = pair.partition(b"=")
            if separator:
                yield key.strip(b" \t"), value.strip(b" \t")
