"""Measure sign-ins with a second factor: the step with an app's code after the password, and a passkey alone."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp

from measure import scripts
from measure.load import Script, VirtualUser, measure
from measure.scripts import Tokens, tokens_of
from measure.server import Server, vestibule
from measure.speed.limits import Limits
from measure.speed.plan import WRITERS, Plan
from measure.speed.results import Limit, Operation, Results
from measure.wire import Answer, Asker, request
from tests.harness.authenticator import Authenticator
from vestibule.model.clock import SystemClock

_PEOPLE = 48
"""Each uses one code, because an app shows the next one only after half a minute."""
_FACTORS = "/api/users/me/factors"
_OPTIONS, _VERIFY = "/api/auth/passkeys/options", "/api/auth/passkeys/verify"
_CEREMONY, _HANDLE = "__Host-ceremony", "__Host-second_factor"
_STEP = timedelta(seconds=30)


async def measure_second_factors(plan: Plan, folder: Path, settings: dict[str, str], results: Results) -> None:
    """Measure one server, whose people all have an authenticator app and a passkey, and add it to `results`."""
    limits = Limits()
    async with vestibule(folder, settings) as server:
        emails = [f"ada-{number}@example.com" for number in range(_PEOPLE)]
        people = [await _enrol(server, email) for email in emails]
        await _second_steps(server, emails, [app for app, _ in people], results)
        await _passkeys(plan, server, [passkeys for _, passkeys in people], limits, results)


async def _enrol(server: Server, email: str) -> tuple[pyotp.TOTP, Authenticator]:
    """Register somebody with an authenticator app and a passkey."""
    async with Asker(server.port) as asker:
        await asker.ask(scripts.registration(email), expected=201)
        tokens = tokens_of(await asker.ask(scripts.sign_in(email), expected=200))
        passkeys = await _enrol_passkey(asker, tokens)
        # From here on, a change of the account's factors needs one of them.
        asked = await asker.ask(request("POST", _OPTIONS), expected=200)
        return await _enrol_app(asker, tokens_of(await asker.ask(_answering(asked, passkeys), expected=200))), passkeys


async def _enrol_app(asker: Asker, tokens: Tokens) -> pyotp.TOTP:
    begun = await asker.ask(_changing("totp", tokens), expected=200)
    app = pyotp.TOTP(begun.json()["data"]["key"].replace(" ", ""))
    await asker.ask(_changing("totp/confirm", tokens, body={"code": app.at(SystemClock().now())}), expected=200)
    return app


async def _enrol_passkey(asker: Asker, tokens: Tokens) -> Authenticator:
    passkeys = Authenticator()
    asked = await asker.ask(_changing("passkeys/options", tokens), expected=200)
    created = passkeys.create(asked.json()["data"]["publicKey"])
    ceremony = f"{_CEREMONY}={asked.cookie(_CEREMONY)}"
    await asker.ask(_changing("passkeys", tokens, ceremony, body={"credential": created}), expected=201)
    return passkeys


def _changing(path: str, tokens: Tokens, *cookies: str, body: Any = None) -> bytes:
    """Return a request that changes factors: it carries the access token and the refresh token."""
    held = "; ".join((f"refresh_token={tokens.refresh}", *cookies))
    return request("POST", f"{_FACTORS}/{path}", token=tokens.access, cookie=held, body=body)


async def _second_steps(server: Server, emails: list[str], apps: list[pyotp.TOTP], results: Results) -> None:
    """Measure the second step alone: the passwords are checked before. Each app's next code was not used yet."""
    requests = []
    async with Asker(server.port) as asker:
        for email, app in zip(emails, apps, strict=True):
            waiting = await asker.ask(scripts.sign_in(email), expected=403)
            requests.append(_second_step(waiting.cookie(_HANDLE), app.at(SystemClock().now() + _STEP)))
    done = await measure(server, scripts.sharing(iter(requests), WRITERS), 600, 200)
    results.operations[Operation.SECOND_STEP].add(done)


def _second_step(handle: str, code: str) -> bytes:
    return request("POST", "/api/auth/login/second-factor", cookie=f"{_HANDLE}={handle}", body={"code": code})


async def _passkeys(plan: Plan, server: Server, people: list[Authenticator], limits: Limits, results: Results) -> None:
    """Measure the answers to challenges that were asked for before; then whole ceremonies, one after the other."""
    for _ in range(plan.rounds):
        results.limits[Limit.PASSKEY_SIGNATURE].add(limits.passkey_signatures(plan.limits))
        answers = [await _answer(server, people[turn % _PEOPLE]) for turn in range(plan.passkeys)]
        done = await measure(server, scripts.sharing(iter(answers), WRITERS), 600, 200)
        results.operations[Operation.PASSKEY].add(done)
    ceremonies = await measure(server, [VirtualUser(_ceremonies(people, plan.passkeys))], 600, 200)
    questions, answered = ceremonies.latencies[::2], ceremonies.latencies[1::2]
    results.ceremonies = [asked + checked for asked, checked in zip(questions, answered, strict=True)]


async def _answer(server: Server, person: Authenticator) -> bytes:
    """Ask the server for a challenge, and return the request that answers it."""
    async with Asker(server.port) as asker:
        return _answering(await asker.ask(request("POST", _OPTIONS), expected=200), person)


def _answering(asked: Answer, person: Authenticator) -> bytes:
    credential = person.get(asked.json()["data"]["publicKey"])
    return request("POST", _VERIFY, cookie=f"{_CEREMONY}={asked.cookie(_CEREMONY)}", body={"credential": credential})


def _ceremonies(people: list[Authenticator], count: int) -> Script:
    for turn in range(count):
        asked = yield request("POST", _OPTIONS)
        yield _answering(asked, people[turn % _PEOPLE])
