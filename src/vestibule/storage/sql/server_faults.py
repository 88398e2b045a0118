"""Say what an operator has to repair at a PostgreSQL server: a database, a user, a right or TLS is missing."""

from sqlalchemy import URL, exc

from vestibule.storage.sql.driver_faults import driver_message

# Codes of PostgreSQL's manual, appendix A.
NO_RIGHT = "42501"
_NO_SUCH_DATABASE = "3D000"
_NO_TLS = "rejected SSL upgrade"  # asyncpg has no class for it
_SENTENCES_BY_STATE = {
    _NO_SUCH_DATABASE: "{server} has no database {database}; make it there (createdb {database}), then run: vestibule "
    "migrate",
    "28P01": "{server} refuses the password of {user}; correct user and password in the URL",
    "28000": "{server} does not let {user} in: {said}; correct the user in the URL, or admit it there (pg_hba.conf)",
    NO_RIGHT: "{user} may not do this in {database} on {server}: {said}; grant it that right, or name in the URL the "
    "user that owns the tables",
}


def sentence(url: URL, server: str | None, fault: exc.DBAPIError) -> str | None:
    """Return what is wrong and what to do; None for other faults, and if `server` is None, as it is for a file."""
    template = _SENTENCES_BY_STATE.get(getattr(fault.orig, "sqlstate", None) or "")
    if server is None or template is None:
        return None
    return template.format(server=server, database=url.database, user=_user(url), said=driver_message(fault))


def no_tls(server: str | None, fault: OSError) -> str | None:
    """Return what is wrong and what to do if the URL asks for TLS and the server has none; None for other faults."""
    if server is None or not str(fault).endswith(_NO_TLS):
        return None
    return (
        f"{server} has no TLS, which sslmode in the URL asks for; turn it on there (ssl = on), or set sslmode=disable "
        "if the network between is private"
    )


def lacks_right(fault: exc.DBAPIError) -> bool:
    """Return whether PostgreSQL refused the statement because its user may not run it."""
    return getattr(fault.orig, "sqlstate", None) == NO_RIGHT


def _user(url: URL) -> str:
    return f"the user {url.username}" if url.username else "this user"
