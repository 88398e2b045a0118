"""Where a server keeps its data, as it is logged and shown: never with a user or a password, or a piece of one."""

import pytest

from vestibule.storage.redis.replica import connect
from vestibule.storage.redis.throttled_warnings import location_of as place_of_redis
from vestibule.storage.sql.url import location_of

DATABASES = {
    "postgresql://ada:hush@db.example.com/name": ("postgresql", "db.example.com:5432/name"),
    "postgres://ada:hu%40sh@db:5433/name?sslmode=require": ("postgresql", "db:5433/name"),
    "postgresql://ada:hu?sh@db/name": ("postgresql", "db:5432/name"),
    "postgresql://ada:hush@[::1]/name": ("postgresql", "[::1]:5432/name"),
    "postgresql:///name?host=/run/postgresql": ("postgresql", "/run/postgresql:5432/name"),
    "sqlite:////srv/hush@x.db": ("sqlite", "/srv/hush@x.db"),
}
REDIS = {
    "redis://:hush@cache.example.com/0": "cache.example.com:6379",
    "rediss://ada:hu%40sh@cache:6380/1": "cache:6380",
    "unix://:hush@/run/redis.sock?db=1": "/run/redis.sock",
    "redis+sentinel://ada:hush@a:26379,b:26379/main/0?sentinel_password=hu@sh": "main, of the Sentinels",
}


@pytest.mark.parametrize(("address", "shown"), DATABASES.items())
def test_a_database(address: str, shown: tuple[str, str]) -> None:
    assert location_of(address) == shown


@pytest.mark.parametrize(("address", "shown"), REDIS.items())
async def test_a_redis(address: str, shown: str) -> None:
    async with connect(address) as redis:
        assert place_of_redis(redis) == shown


ODD = [
    "redis+sentinel://u:secret/x@host:26379/0",
    "redis+sentinel://u:12/secret@host:26379/0",
    "redis+sentinel://u:p@host:secret/main/0",
    "redis+sentinel://u:p@host:99999/main/0",
]


@pytest.mark.parametrize("address", ODD)
async def test_a_sentinel_address_that_cannot_be_read_shows_no_piece_of_the_password(address: str) -> None:
    with pytest.raises(ValueError, match=r"Sentinel|port") as refused:
        async with connect(address):
            pass
    assert "secret" not in str(refused.value)
    assert "%2F" in str(refused.value)
