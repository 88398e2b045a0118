"""L9: everything broken that can be, with canaries in it, and no canary in what is told of it."""

import json

import httpx
import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import text

from tests.harness.backends import postgresql_database
from tests.harness.mailer import BRAND
from tests.harness.world import World
from vestibule.client import reasons
from vestibule.client.base_url import base_of
from vestibule.crypto.opaque import mint_secret
from vestibule.mail.letters import Renderer, Sender
from vestibule.mail.smtp import Server, SmtpMailer
from vestibule.model.clock import SystemClock
from vestibule.model.letters import Letter, LetterKind
from vestibule.observability import logs
from vestibule.observability.traces.provider import WithoutMessages
from vestibule.storage.redis import replica
from vestibule.storage.sql import engine
from vestibule.storage.sql.migrate import migrate
from vestibule.storage.sql.revision import NotUnicode, require_current

CANARY = "canary"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/api/auth/resetpassword/{secret}"),
        ("GET", "/api/auth/verifyemail/{secret}"),
    ],
)
async def test_l9_a_path_with_a_mailed_secret_is_told_as_its_route(world: World, method: str, path: str) -> None:
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(text("ALTER TABLE one_time_tokens RENAME TO away"))
    secret = mint_secret()
    body = {"password": "canary password", "passwordConfirm": "canary password"}
    client = await world.client()
    with structlog.testing.capture_logs() as said:
        answer = await client.request(method, path.format(secret=secret), json=body if method == "PATCH" else None)
    assert answer.status_code == 500
    assert secret not in answer.text
    (line,) = [line for line in said if line["event"] == "unexpected"]
    assert line["route"].startswith(path.partition("{")[0])
    assert secret not in json.dumps(line, default=str)
    assert CANARY not in json.dumps(line, default=str)


@pytest.mark.parametrize(
    "url",
    ["redis://:canary/x@host:6379/0", "redis://:canary#x@host/0", "redis://u:canary?x@h:1/0", "canary", "x://canary"],
)
async def test_l9_a_redis_address_that_is_none_is_not_repeated(url: str) -> None:
    assert CANARY not in await _refusal(url)


async def _refusal(url: str) -> str:
    try:
        await replica.connect(url).aclose()
    except ValueError as fault:
        return str(fault)
    return ""


def test_l9_a_mail_server_that_repeats_the_letter_and_the_password_is_not_repeated() -> None:
    server = Server("localhost", 25, "none", "user", "canary-password")
    mailer = SmtpMailer(server, Renderer(Sender.parse("a@example.com", "X"), BRAND, SystemClock()))
    letter = Letter(
        "1", LetterKind.RESET_PASSWORD, "ada@example.com", "Canary Name", "https://x.example/y/canary-token"
    )
    echoed = "AHVzZXIAY2FuYXJ5LXBhc3N3b3Jk"  # NUL, user, NUL, the password
    words = f"554 no: {letter.link} canary-token Canary Name canary-password {echoed}"
    said = mailer._said(ValueError(words), letter)
    assert CANARY not in said.lower()
    assert echoed not in said
    assert said.startswith("554 no: ")


def test_l9_others_words_in_the_log_have_no_whole_address() -> None:
    line = logs._mask_fields_from_outside(None, "", {"fault": "550 <canary@example.com>", "to": "canary@example.com"})
    assert line == {"fault": "550 <c***@example.com>", "to": "canary@example.com"}


def test_l9_the_kit_repeats_neither_its_key_nor_what_is_in_an_address() -> None:
    assert CANARY not in reasons.why(httpx.LocalProtocolError("Illegal header value b'Bearer canary'"))
    assert CANARY not in reasons.why(httpx.ConnectError(CANARY))
    for url in ("https://user:canary@auth.example.com", "ftp://u:canary@x", "https://x.example/?key=canary"):
        with pytest.raises(ValueError) as caught:
            base_of(url, plain_http=False)
        assert CANARY not in str(caught.value)


def test_l9_no_span_tells_what_an_error_says() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(WithoutMessages(kept)))
    with pytest.raises(ValueError), provider.get_tracer("x").start_as_current_span("SET"):
        raise ValueError("Command # 1 (SET canary)")
    (span,) = kept.get_finished_spans()
    assert CANARY not in span.to_json()
    assert not span.status.is_ok


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_l10_a_database_that_cannot_hold_every_name_is_refused_by_name(encoding: str) -> None:
    made = f"template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
    async with postgresql_database(made) as address:
        engines = engine.connect(address)
        for step in (migrate, require_current):
            with pytest.raises(NotUnicode, match=f"{encoding}.*createdb --encoding=UTF8"):
                await step(engines)
        await engines.close()
