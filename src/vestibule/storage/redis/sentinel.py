"""The address of a Redis that Sentinel watches, and connections that go to whichever server is the primary.

`redis+sentinel://user:password@sentinel-1:26379,sentinel-2:26379/name/0`: the Sentinels to ask, the name under which
they know the primary, and the database's number. User and password are the primary's; Sentinels that want their own
get `?sentinel_username=…&sentinel_password=…`. `rediss+sentinel` speaks TLS to all of them.
"""

from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool

SCHEMES = ("redis+sentinel", "rediss+sentinel")
_PORT = 26379
_EXAMPLE = "redis+sentinel://host:26379,host:26379/name/0"


class Address(NamedTuple):
    """A parsed address. `primary` and `watchers` are connection arguments besides host and port, for each kind of
    server.
    """

    sentinels: list[tuple[str, int]]
    name: str
    primary: dict[str, Any]
    watchers: dict[str, Any]


def parse(url: str) -> Address:
    """Return the parts of a Sentinel address. Raises ValueError with what is wrong; it never shows the password."""
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    name, _, number = parts.path.strip("/").partition("/")
    if not hosts or not name or not (number or "0").isdecimal():
        raise ValueError(f"names no Sentinels, or not what they watch; it is written {_EXAMPLE}")
    asked = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if unknown := asked.keys() - {"sentinel_username", "sentinel_password"}:
        raise ValueError(f"?{min(unknown)}= is not understood; only sentinel_username and sentinel_password are")
    wire = {"ssl": True} if parts.scheme == "rediss+sentinel" else {}
    primary = {"username": unquote(user) or None, "password": unquote(password) or None, "db": int(number or 0)}
    watchers = {key.removeprefix("sentinel_"): value for key, value in asked.items()}
    return Address([_host(host) for host in hosts.split(",")], name, primary | wire, watchers | wire)


def connect(url: str, max_connections: int, wait_seconds: float, **seconds: float) -> "Redis":
    """Return a client of the primary, which Sentinel is asked for at each new connection. Waits at most `wait_seconds`
    for a free connection; `seconds` are redis-py's timeouts. Raises ValueError as `parse` does.
    """
    sentinels, name, primary, watchers = parse(url)
    manager = Sentinel(sentinels, sentinel_kwargs=watchers | seconds)  # type: ignore[no-untyped-call]
    queueing = {"max_connections": max_connections, "timeout": wait_seconds}
    pool = _Pool(name, manager, **queueing, **primary, **seconds)  # type: ignore[no-untyped-call]
    return Redis.from_pool(pool)


class _Pool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to the primary; callers queue when all are in use. Closes the Sentinels' connections too."""

    async def get_master_address(self) -> tuple[str, int]:
        try:
            address: tuple[str, int] = await super().get_master_address()  # type: ignore[no-untyped-call]
        except MasterNotFoundError:  # its message shows every connection with all its members
            raise MasterNotFoundError(f"no Sentinel knows who leads {self.service_name}") from None
        return address

    async def aclose(self) -> None:
        await super().aclose()
        for sentinel in self.sentinel_manager.sentinels:
            await sentinel.aclose()


def _host(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError(f"names no host at one of its commas; it is written {_EXAMPLE}")
    return parts.hostname, parts.port or _PORT
