"""Check the query parameters of REDIS_URL. redis-py takes any of its own arguments there, some of which would make
waits endless or answers unreadable, and rejects unknown ones only at the first request.
"""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from redis.asyncio import BlockingConnectionPool
from redis.exceptions import RedisError

from vestibule.protocol.files import read_bounded

_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS_PARAMETERS = (*_TLS_FILES, "ssl_cert_reqs", "ssl_check_hostname")
_KNOWN = ("db", "client_name", *_TLS_PARAMETERS)
_SCHEMES = {"redis", "rediss", "unix"}
_MOST_DATABASES = 2**31  # Redis counts them in a signed integer of 32 bits
_MAX_FILE_BYTES = 10_000_000  # many times the certificates of all public authorities


def require_known(url: str) -> None:
    """Refuse a parameter that is unknown, given twice, or needs TLS on an address without it: raise ValueError, whose
    message shows no value. The message is empty if the address itself is malformed.
    """
    parts = urlsplit(url)
    # What follows a ? or # may be the rest of a password, which is not to be shown.
    if url.partition("://")[0].lower() not in _SCHEMES or "@" in parts.query or parts.fragment:
        raise ValueError
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    if unknown := set(names) - {*_KNOWN}:
        raise ValueError(f"?{min(unknown)}= is not understood; known are {', '.join(_KNOWN)}")
    if len(names) > len(set(names)):
        raise ValueError("names a parameter twice")
    if parts.scheme != "rediss" and (of_tls := set(names) & {*_TLS_PARAMETERS}):
        raise ValueError(f"?{min(of_tls)}= works only with rediss://")
    values = dict(pairs)
    in_path = "" if parts.scheme == "unix" else parts.path.strip("/")
    if not all(_is_database(number) for number in (values.get("db", ""), in_path) if number):
        raise ValueError("has a database that is not a number such as 0: redis://host:6379/0")
    if values.get("ssl_check_hostname", "true").lower() not in {"true", "false"}:
        raise ValueError("?ssl_check_hostname= is true or false")


def _is_database(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < _MOST_DATABASES


def require_usable(pool: BlockingConnectionPool) -> None:
    """Refuse parameters that no connection could be made with, without making one: raise ValueError."""
    chosen = pool.connection_kwargs
    if ("ssl_certfile" in chosen) is not ("ssl_keyfile" in chosen):
        raise ValueError("has only one of ssl_certfile and ssl_keyfile")
    for name in _TLS_FILES:
        _require_readable(name, chosen.get(name))
    try:
        pool.connection_class(**chosen)
    except (RedisError, TypeError, ValueError):
        raise ValueError(
            "has a parameter with an impossible value; ssl_cert_reqs is none, optional or required"
        ) from None


def _require_readable(name: str, path: str | None) -> None:
    try:
        if path is not None:
            read_bounded(Path(path), _MAX_FILE_BYTES)
    except OSError as fault:
        raise ValueError(f"has {name}={path!r}, which cannot be read: {fault.strerror}") from None
    except ValueError as fault:  # the path has a NUL, or is not a file's
        raise ValueError(f"has {name}={path!r}, which {fault}") from None
