"""People of the load have a browser each, and what was given up may still happen."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from measure.faults.balancer import Balancer, NoAnswer
from measure.faults.deeds import Deeds
from measure.faults.ledger import Ledger, Person
from measure.faults.mailbox import Mailbox
from measure.faults.timeline import Timeline

_TOKEN = "x.eyJzdWIiOiAiMSIsICJzaWQiOiAicyJ9.x"  # of account 1 and session s


class Answers(Balancer):
    """A balancer that answers with what a test gives it, in order; None stands for no answer."""

    def __init__(self, *answers: httpx.Response | None) -> None:
        self.answers = list(answers)

    async def ask(self, *_: Any, **__: Any) -> httpx.Response:
        answer = self.answers.pop(0)
        if answer is None:
            raise NoAnswer("timeout")
        return answer


def _signed_in() -> httpx.Response:
    return httpx.Response(
        200,
        json={"access_token": _TOKEN},
        headers=[("set-cookie", f"refresh_token={_TOKEN}"), ("set-cookie", "device_a=b")],
        request=httpx.Request("POST", "http://127.0.0.1"),
    )


def _over() -> httpx.Response:
    return httpx.Response(401, json={"code": "session_password_changed"})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server that sets a cookie, and answers with the cookies it was sent."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        cookies = b";".join(line for line in sent if line.startswith(b"cookie:"))
        head = b"HTTP/1.1 200 OK\r\nSet-Cookie: refresh_token=ada\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(cookies) + cookies)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_nobody_is_sent_with_the_cookies_of_another(port: int) -> None:
    balancer = Balancer([port], Timeline(), Ledger())
    first = await balancer.ask("login", "POST", "/", {200})
    assert first.cookies["refresh_token"] == "ada"
    assert (await balancer.ask("login", "POST", "/", {200})).text == ""
    own = await balancer.ask("login", "POST", "/", {200}, headers={"Cookie": "device_a=b"})
    assert own.text == "cookie: device_a=b"
    await balancer.close()


async def test_each_person_keeps_the_device_cookie_of_their_own_browser() -> None:
    person, deeds = Person("ada@example.com", "old", "1"), Deeds(Answers(_signed_in()), Ledger(), Mailbox(), [1])
    await deeds.sign_in(person)
    assert (person.device, person.refresh) == ("device_a=b", _TOKEN)


@pytest.mark.parametrize("changed", ["change_password", "reset"])
async def test_a_change_that_was_given_up_may_end_a_session_that_began_after_it(changed: str) -> None:
    ledger, person = Ledger(), Person("ada@example.com", "old", "1", _TOKEN, _TOKEN)
    deeds = Deeds(Answers(None, _signed_in(), _over()), ledger, Mailbox(), [1])
    await (deeds.change_password(person) if changed == "change_password" else deeds._spend(person, "secret"))
    await deeds.sign_in(person)  # by the old password: the change has not happened yet
    await deeds.read(person)
    assert not ledger.violations
    assert person.perhaps


async def test_a_change_that_was_refused_ends_no_session_that_began_after_it() -> None:
    ledger, person = Ledger(), Person("ada@example.com", "old", "1", _TOKEN, _TOKEN)
    deeds = Deeds(Answers(httpx.Response(503), _signed_in(), _over()), ledger, Mailbox(), [1])
    await deeds.change_password(person)
    await deeds.sign_in(person)
    await deeds.read(person)
    assert ledger.violations["I1"] == 1
