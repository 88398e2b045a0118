"""Turn the address in `DATABASE_URL` into what SQLAlchemy and the driver understand."""

from typing import Any
from urllib.parse import unquote

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from vestibule.model.paths import is_folder, path_from
from vestibule.protocol import hosts
from vestibule.storage.sql import tls

# Parameters that Prisma and libpq define for their own driver and pool.
_IGNORED = {
    "channel_binding",
    "connect_timeout",
    "connection_limit",
    "pool_timeout",
    "socket_timeout",
    "statement_cache_size",
}
_LAST_PORT = 65535
DEFAULT_PORT = 5432
"""PostgreSQL's port."""
_NO_ADDRESS = "is not a database address such as postgresql://user:password@host/name (write it without quotes)"
_ESCAPED = "in user and password write %40 for @, %2F for /, %3F for ?, %23 for # and %3A for :"
_PASSED_ON = {"target_session_attrs", "application_name"}


class WrongAddress(ValueError):
    """The address cannot be used. The message says why, as a sentence without its subject: "names no file"."""


def parse(address: str) -> tuple[URL, dict[str, Any]]:
    """Return the SQLAlchemy address and the driver's arguments for `address`; raises `WrongAddress`.

    One of the arguments, `behind_pooler`, is for `engine.connect` and not for the driver: it is True behind a
    transaction pooler, where each transaction may run on another connection of the server.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise WrongAddress(_NO_ADDRESS) from None
    if any(isinstance(value, tuple) for value in url.query.values()):
        raise WrongAddress("names a parameter twice")
    kind = url.drivername.partition("+")[0]
    if kind == "sqlite":
        return _sqlite(url), {}
    if kind in {"postgresql", "postgres"}:
        return _postgresql(url)
    raise WrongAddress(f"names {kind}; Vestibule runs on postgresql:// and sqlite:///")


def location_of(address: str) -> tuple[str, str]:
    """Return the kind of database, `sqlite` or `postgresql`, and where it is: the file, or `host:port/name` without
    user and password. Raises `WrongAddress`.
    """
    url, _ = parse(address)
    kind = url.drivername.partition("+")[0]
    if kind == "sqlite":
        return kind, str(url.database)
    return kind, f"{hosts.in_url(url.host or 'localhost')}:{url.port or DEFAULT_PORT}/{url.database or ''}"


def _sqlite(url: URL) -> URL:
    if url.host or not url.database or url.database == ":memory:":
        raise WrongAddress("names no file; write sqlite:///name for one here, and sqlite:////folder/name elsewhere")
    if url.query:
        raise WrongAddress(f"has the parameter {min(url.query)!r}; a file takes none (a ? in its name is written %3F)")
    try:
        path = path_from(url.database)
    except ValueError as fault:
        raise WrongAddress(f"names a file that {fault}") from None
    if is_folder(path):
        raise WrongAddress(f"names the folder {path}; a file in it is needed")
    return url.set(drivername="sqlite+aiosqlite", database=str(path))


def _postgresql(url: URL) -> tuple[URL, dict[str, Any]]:
    _require_escaped(url)
    parameters = {name: str(value) for name, value in url.query.items()}
    known = {"schema", "sslmode", "pgbouncer", "host", "port", *tls.FILES, *_PASSED_ON, *_IGNORED}
    if unknown := parameters.keys() - known:
        raise WrongAddress(f"has the unknown parameter {min(unknown)!r}")
    arguments = _driver_arguments(parameters)
    return _with_server(url, parameters).set(drivername="postgresql+asyncpg", query={}), arguments


def _driver_arguments(parameters: dict[str, str]) -> dict[str, Any]:
    """Return the driver's arguments, and `behind_pooler` (`parse`). Raises `WrongAddress`."""
    arguments: dict[str, Any] = {"behind_pooler": True} if parameters.get("pgbouncer") == "true" else {}
    if settings := _server_settings(parameters):
        arguments["server_settings"] = settings
    if "target_session_attrs" in parameters:
        arguments["target_session_attrs"] = parameters["target_session_attrs"]
    files = {name: parameters[name] for name in tls.FILES if name in parameters}
    if files or "sslmode" in parameters:
        try:
            arguments["ssl"] = tls.context(parameters.get("sslmode", "verify-full"), files)
        except ValueError as fault:
            raise WrongAddress(str(fault)) from None
    return arguments


def _server_settings(parameters: dict[str, str]) -> dict[str, str]:
    settings = {}
    if "application_name" in parameters:
        settings["application_name"] = parameters["application_name"]
    if "schema" in parameters:
        settings["search_path"] = quoted_name(parameters["schema"])
    return settings


def _require_escaped(url: URL) -> None:
    """Raise `WrongAddress` if a password has an @ that is not escaped: what follows it would be taken for the host, the
    database or a parameter, and be shown as such.
    """
    if any("@" in part for part in (url.host or "", url.database or "", *url.query)):
        raise WrongAddress(f"has a second @; {_ESCAPED}")


def quoted_name(name: str) -> str:
    """Return a name quoted for SQL, whatever characters it has (SQL:2016, delimited identifier)."""
    return '"' + name.replace('"', '""') + '"'


def _with_server(url: URL, parameters: dict[str, str]) -> URL:
    """Return the address with the server's host (or the folder of its socket) and port, whether `url` or its parameters
    had them. Raises `WrongAddress`.
    """
    host = unquote(parameters.get("host") or url.host or "")
    port = parameters.get("port") or str(url.port or "")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) <= _LAST_PORT):
        raise WrongAddress(f"has the port {port!r}, which is not a port")
    is_folder_of_socket = host.startswith("/")
    if "," in host or " " in host or ("/" in host and not is_folder_of_socket):
        raise WrongAddress("names more than one host, or an impossible one")
    return url.set(host=host or None, port=int(port) if port else None)
