"""Database addresses as people have them: plain, from Prisma, from libpq, and wrong ones."""

import ssl
from typing import Any

import pytest

from tests.harness.backends import Backend
from vestibule.storage.sql import engine
from vestibule.storage.sql.store import SqlStore
from vestibule.storage.sql.url import WrongAddress, parse

UNDERSTOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "sqlite:///data.sqlite3": ("sqlite+aiosqlite:///data.sqlite3", {}),
    "sqlite:////var/lib/data.sqlite3": ("sqlite+aiosqlite:////var/lib/data.sqlite3", {}),
    "postgresql://u:p@h:5432/n": ("postgresql+asyncpg://u:p@h:5432/n", {}),
    "postgres://u:p@h/n": ("postgresql+asyncpg://u:p@h/n", {}),
    "postgresql+asyncpg://u:p@h/n": ("postgresql+asyncpg://u:p@h/n", {}),
    "postgresql+psycopg2://u:p@h/n": ("postgresql+asyncpg://u:p@h/n", {}),
    "postgresql://u:p%40%2F%3A@h/n": ("postgresql+asyncpg://u:p%40%2F%3A@h/n", {}),
    "postgresql://u:p@[::1]:5432/n": ("postgresql+asyncpg://u:p@[::1]:5432/n", {}),
    "postgresql://h/n?schema=auth": ("postgresql+asyncpg://h/n", {"server_settings": {"search_path": '"auth"'}}),
    "postgresql://h/n?sslmode=require": ("postgresql+asyncpg://h/n", {"ssl": "require"}),
    "postgresql://h/n?sslmode=verify-full": ("postgresql+asyncpg://h/n", {"ssl": ssl.SSLContext}),
    "postgresql://h/n?connection_limit=5&pool_timeout=2": ("postgresql+asyncpg://h/n", {}),
    "postgresql://h/n?pgbouncer=true": ("postgresql+asyncpg://h/n", {"behind_pooler": True}),
    "postgresql://h/n?connect_timeout=5&socket_timeout=2&statement_cache_size=0": ("postgresql+asyncpg://h/n", {}),
}


@pytest.mark.parametrize(("address", "expected"), UNDERSTOOD.items(), ids=UNDERSTOOD)
def test_an_address_becomes_the_drivers(address: str, expected: tuple[str, dict[str, Any]]) -> None:
    url, arguments = parse(address)
    arguments = {name: type(each) if isinstance(each, ssl.SSLContext) else each for name, each in arguments.items()}
    assert (url.render_as_string(hide_password=False), arguments) == expected


_NO_ADDRESS = "is not a database address such as postgresql://user:password@host/name (write it without quotes)"
WRONG = {
    "": _NO_ADDRESS,
    "not an address": _NO_ADDRESS,
    "'postgresql://h/n'": _NO_ADDRESS,
    "postgresql://h:port/n": _NO_ADDRESS,
    "mysql://u:p@h/n": "names mysql; Vestibule runs on postgresql:// and sqlite:///",
    "mysql+aiomysql://u:p@h/n": "names mysql; Vestibule runs on postgresql:// and sqlite:///",
    "redis://h:6379/0": "names redis; Vestibule runs on postgresql:// and sqlite:///",
    "postgresql://h/n?sslmode=perhaps": (
        "has the unknown sslmode 'perhaps'; disable, allow, prefer, require, verify-ca, verify-full are known"
    ),
}


@pytest.mark.parametrize(("address", "sentence"), WRONG.items(), ids=WRONG)
def test_a_wrong_address_is_refused_in_a_sentence(address: str, sentence: str) -> None:
    with pytest.raises(WrongAddress) as refusal:
        parse(address)
    assert str(refusal.value) == sentence


def test_a_parameter_that_the_driver_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(WrongAddress, match="no_such_parameter"):
        parse("postgresql://h/n?no_such_parameter=1")


@pytest.mark.parametrize("password", ["open@sesame", "open@/sesame", "open@sesame/x", "open@#sesame"])
def test_a_password_with_an_unescaped_at_sign_is_refused_and_no_piece_of_it_shown(password: str) -> None:
    with pytest.raises(WrongAddress, match="write %40 for @") as refusal:
        parse(f"postgresql://u:{password}@h:5432/n")
    assert "sesame" not in str(refusal.value)


@pytest.mark.parametrize("address", ["mysql://u:sesame@h/n", "postgresql://u:sesame@h/n?sslmode=perhaps"])
def test_no_refusal_shows_the_password(address: str) -> None:
    with pytest.raises(WrongAddress) as refusal:
        parse(address)
    assert "sesame" not in str(refusal.value)


async def test_an_address_from_prisma_connects_as_it_stands(postgresql: Backend) -> None:
    engines = engine.connect(f"{postgresql.database_url}?schema=public&connection_limit=5&sslmode=prefer")
    try:
        await SqlStore(engines).ping()
    finally:
        await engines.close()
