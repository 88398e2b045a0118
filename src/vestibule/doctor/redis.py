"""Check Redis: reachable, and set up so that it drops nothing early."""

from collections.abc import Iterator
from shlex import quote
from typing import Any
from urllib.parse import unquote, urlsplit

from vestibule.model.findings import Finding, fault, fine, hint, warning
from vestibule.protocol.this_machine import is_this_machine
from vestibule.settings.fields import Settings
from vestibule.settings.reading import WrongSettings
from vestibule.wiring.opening import open_redis, redis_location, redis_module

SUBJECT = "redis"
_NEARLY_FULL = 0.9
_DEFAULT_PORT = 6379
_CLI_ON_EACH = "on each server that Sentinel watches: redis-cli"
_ASK_SENTINEL = "redis-cli -h HOST -p 26379 sentinel get-master-addr-by-name NAME"
_SCHEMES_WITH_TLS = {"redis": "rediss", "redis+sentinel": "rediss+sentinel"}


async def check(settings: Settings) -> list[Finding]:
    """Return findings about Redis, if one is set."""
    if not settings.redis_url.get_secret_value():
        return [fine(SUBJECT, "not set, and not needed")]
    try:
        async with open_redis(settings) as client:
            info: dict[str, Any] = await client.info() if client else {}  # a client, because REDIS_URL is set
    except redis_module().UNREACHABLE_ERRORS as reason:
        return [_unreachable(settings, redis_module().why_unreachable(reason))]
    except WrongSettings as reason:
        return [fault(SUBJECT, str(reason), "The server does not start.", "REDIS_URL=redis://host:6379/0")]
    return [fine(SUBJECT, f"Redis {info.get('redis_version', '')}"), *_memory(settings, info), *sent_in_clear(settings)]


def _unreachable(settings: Settings, reason: str) -> Finding:
    return warning(
        SUBJECT,
        f"cannot be reached at {redis_location(settings)}: {reason}",
        "Nobody is signed out, but each process counts requests alone and allows a fifth of each limit, and a request "
        "that tries to reach Redis waits for a fraction of a second.",
        "check REDIS_URL, and that the server runs: "
        + (_ASK_SENTINEL if _has_sentinels(settings) else f"{_cli(settings)} ping"),
    )


def _cli(settings: Settings) -> str:
    """Return redis-cli with the address of REDIS_URL. The password goes into a variable, because every user of the
    machine can read arguments.
    """
    address = urlsplit(settings.redis_url.get_secret_value())
    at = f"-h {quote(address.hostname or 'localhost')} -p {address.port or _DEFAULT_PORT}"
    if address.scheme == "unix":
        at = f"-s {quote(unquote(address.path))}"
    password = "REDISCLI_AUTH=… " if address.password else ""
    tls = " --tls" if address.scheme == "rediss" else ""
    user = f" --user {quote(unquote(address.username))}" if address.username else ""
    return f"{password}redis-cli {at}{tls}{user}"


def _has_sentinels(settings: Settings) -> bool:
    """Return whether the URL names Sentinels, which redis-cli cannot connect to by URL."""
    return urlsplit(settings.redis_url.get_secret_value()).scheme in redis_module().SCHEMES


def _memory(settings: Settings, info: dict[str, Any]) -> Iterator[Finding]:
    policy, most, used = info.get("maxmemory_policy"), int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    if policy not in ("noeviction", None):
        yield warning(
            SUBJECT,
            f"its eviction policy is {policy}",
            "When its memory is full, it drops counts that are still needed, so limits start again from zero.",
            f"{_CLI_ON_EACH if _has_sentinels(settings) else _cli(settings)} config set maxmemory-policy noeviction, "
            "and the same in redis.conf",
        )
    if most and used > most * _NEARLY_FULL:
        yield warning(
            SUBJECT,
            f"{used // 1_000_000} of {most // 1_000_000} MB are in use",
            "When its memory is full, it stores nothing more, so counts and sessions are missing.",
            "raise maxmemory, or give Vestibule a Redis of its own",
        )


def sent_in_clear(settings: Settings) -> Iterator[Finding]:
    """Yield a finding if the connection to Redis has no TLS."""
    address = urlsplit(settings.redis_url.get_secret_value())
    if (
        address.scheme not in _SCHEMES_WITH_TLS
        or is_this_machine(address.hostname or "localhost")
        or not settings.production
    ):
        return
    why = "It carries names and emails of people who are signed in."
    remedy = f"REDIS_URL={_SCHEMES_WITH_TLS[address.scheme]}://…, or a private network"
    if address.password:
        yield warning(SUBJECT, f"the password goes to {address.hostname} without TLS", why, remedy)
    else:
        yield hint(SUBJECT, f"the connection to {address.hostname} is not encrypted", why, remedy)
