"""Connect to a Redis that Sentinel watches: to whichever server is the primary now.

The address is `redis+sentinel://user:password@sentinel-1:26379,sentinel-2:26379/name/0`: the Sentinels to ask, the name
under which they know the primary, and the number of the database. User and password are for the primary; for the
Sentinels, add `?sentinel_username=…&sentinel_password=…`. `rediss+sentinel` uses TLS to the primary and the Sentinels.
"""

from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool

SCHEMES = ("redis+sentinel", "rediss+sentinel")
_DEFAULT_PORT = 26379
_ENCODE = "write each / of a password as %2F, each @ as %40, each # as %23 and each ? as %3F"
_EXAMPLE = "redis+sentinel://host:26379,host:26379/name/0"


class SentinelAddress(NamedTuple):
    """A parsed address. `for_primary` and `for_sentinels` are redis-py's arguments for connections to each kind of
    server, without host and port.
    """

    sentinels: list[tuple[str, int]]
    name: str
    for_primary: dict[str, Any]
    for_sentinels: dict[str, Any]


def parse(url: str) -> SentinelAddress:
    """Return the parts of a Sentinel address. Raises ValueError with what is wrong; it never shows the password."""
    parts = urlsplit(url)
    if "@" in parts.path:
        raise ValueError(f"has an @ behind the Sentinels; {_ENCODE}")
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    name, _, number = parts.path.strip("/").partition("/")
    if not hosts or not name or not (number or "0").isdecimal():
        raise ValueError(f"names no Sentinels, or no primary; write it as {_EXAMPLE}")
    parameters = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if unknown := parameters.keys() - {"sentinel_username", "sentinel_password"}:
        raise ValueError(f"?{min(unknown)}= is not understood; only sentinel_username and sentinel_password are")
    tls = {"ssl": True} if parts.scheme == "rediss+sentinel" else {}
    for_primary = {"username": unquote(user) or None, "password": unquote(password) or None, "db": int(number or 0)}
    for_sentinels = {key.removeprefix("sentinel_"): value for key, value in parameters.items()}
    return SentinelAddress([_host(host) for host in hosts.split(",")], name, for_primary | tls, for_sentinels | tls)


def connect(url: str, max_connections: int, wait_seconds: float, **seconds: float) -> Redis:
    """Return a client of the primary. Each new connection first asks the Sentinels which server is the primary. Waits
    at most `wait_seconds` for a free connection; `seconds` are redis-py's timeouts. Raises ValueError as `parse` does.
    """
    sentinels, name, for_primary, for_sentinels = parse(url)
    manager = Sentinel(sentinels, sentinel_kwargs=for_sentinels | seconds)  # type: ignore[no-untyped-call]
    queueing = {"max_connections": max_connections, "timeout": wait_seconds}
    pool = _Pool(name, manager, **queueing, **for_primary, **seconds)  # type: ignore[no-untyped-call]
    return Redis.from_pool(pool)


class _Pool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to the primary; callers queue when all are in use. Closes the Sentinels' connections too."""

    async def get_master_address(self) -> tuple[str, int]:
        try:
            address: tuple[str, int] = await super().get_master_address()  # type: ignore[no-untyped-call]
        except MasterNotFoundError:  # redis-py's message shows every connection with its password
            raise MasterNotFoundError(f"no Sentinel knows the primary of {self.service_name}") from None
        return address

    async def aclose(self) -> None:
        await super().aclose()
        for sentinel in self.sentinel_manager.sentinels:
            await sentinel.aclose()


def _host(text: str) -> tuple[str, int]:
    """Return a Sentinel's host and port. Raises ValueError in words of our own: Python's would show a piece of the
    password, if the password has a `/`.
    """
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError(f"names no host before or after a comma; write it as {_EXAMPLE}")
    try:
        return parts.hostname, parts.port or _DEFAULT_PORT
    except ValueError:
        raise ValueError(f"has a port that is no number up to 65535; {_ENCODE}") from None
