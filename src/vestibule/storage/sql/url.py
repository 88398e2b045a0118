"""Database addresses: what people have in `DATABASE_URL`, turned into what the drivers understand."""

from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

# Parameters that Prisma and libpq put into an address and that mean nothing to this driver and pool.
_IGNORED = {
    "channel_binding",
    "connect_timeout",
    "connection_limit",
    "pool_timeout",
    "socket_timeout",
    "statement_cache_size",
}
_SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}


class WrongAddress(ValueError):
    """The address cannot be used. The message says why."""


def parse(address: str) -> tuple[URL, dict[str, Any]]:
    """The SQLAlchemy address and the driver's arguments for `address`; raises `WrongAddress`.

    `behind_pooler` among them is for the engine: each transaction may reach another connection of the server's.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise WrongAddress("is not a database address such as postgresql://user:password@host/name") from None
    kind = url.drivername.partition("+")[0]
    if kind == "sqlite":
        return url.set(drivername="sqlite+aiosqlite"), {}
    if kind in {"postgresql", "postgres"}:
        return _postgresql(url)
    raise WrongAddress(f"names {kind}; Vestibule runs on postgresql:// and sqlite:///")


def _postgresql(url: URL) -> tuple[URL, dict[str, Any]]:
    arguments: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for name, value in url.query.items():
        if name == "schema":
            arguments["server_settings"] = {"search_path": value}
        elif name == "sslmode":
            if value not in _SSL_MODES:
                raise WrongAddress(f"has the unknown sslmode {value!r}")
            arguments["ssl"] = value
        elif name == "pgbouncer":
            arguments["behind_pooler"] = value == "true"
        elif name not in _IGNORED:
            raise WrongAddress(f"has the unknown parameter {name!r}")
    return url.set(drivername="postgresql+asyncpg", query=kept), arguments
