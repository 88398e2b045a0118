"""The OpenAPI document says what the API does: schemathesis asks, and every answer must be as declared."""

import asyncio
import re
from collections import Counter
from typing import Any

import httpx
import pyotp
import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.harness.authenticator import Authenticator
from tests.harness.clock import ManualClock
from tests.harness.mailer import BRAND
from tests.harness.rounds import rounds
from tests.harness.servers import WAIT_SECONDS
from tests.harness.world import BASE, POLICY, WEB, World
from tests.stories.factors.resets import account
from tests.stories.required_factor import switch
from tests.unit.mail import RENDERER
from vestibule.flows.reset_factors import begin_reset
from vestibule.model.factors import SecondFactorRule
from vestibule.model.letters import LetterKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.web.application import build_app, make_site
from vestibule.web.map_reading import ROUTES
from vestibule.web.pages.template_loader import Templates

pytestmark = pytest.mark.any_engine
EXAMPLES = rounds(100, suite=10)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
DOCUMENT = build_app(make_site(POLICY, WEB, ManualClock(), Templates(BRAND, "en"), RENDERER)).openapi()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
BODY = {400, 413, 415}
TOKEN = {400, 401}
# What an operator may do to an account, and what may be answered beside what every act may.
ACTS: dict[str, frozenset[int]] = {
    **dict.fromkeys(("enable", "keep-factors", "reset-factors-now", "sign-out", "unlock"), frozenset[int]()),
    **dict.fromkeys(("invite", "reset-factors", "send-reset", "send-verification", "verify"), frozenset({409})),
    **dict.fromkeys(("delete", "disable", "set-email", "set-role", "set-roles"), frozenset({409} | BODY)),
}
# From the contract: what each route may answer, beside 503 when the server cannot do it now.
STATUSES = {
    "GET /api/healthchecker": {200},
    "POST /api/auth/register": {201, 403, 409, 429} | BODY,
    "POST /api/auth/login": {200, 401, 403, 429} | BODY,
    "POST /api/auth/login/second-factor/options": {200, 403, 404, 429},
    "POST /api/auth/login/enrol/totp": {200, 403, 429},
    "POST /api/auth/login/enrol/totp/confirm": {200, 403, 404, 429} | BODY,
    "POST /api/auth/login/enrol/passkey/options": {200, 403, 404, 429},
    "POST /api/auth/login/enrol/passkey": {200, 403, 404, 409, 429} | BODY,
    "POST /api/auth/passkeys/options": {200, 403, 404, 429},
    "POST /api/auth/passkeys/verify": {200, 401, 403, 404, 429} | BODY,
    "POST /api/auth/login/second-factor": {200, 403, 404, 429} | BODY,
    "POST /api/auth/email-code": {200, 403, 429} | BODY,
    "POST /api/auth/email-code/verify": {200, 403, 429} | BODY,
    "GET /api/auth/refresh": {200, 403, 429},
    "POST /api/auth/refresh": {200, 403, 429},
    "GET /api/auth/logout": {200, 403, 429} | TOKEN,
    "POST /api/auth/logout": {200, 403, 429} | TOKEN,
    "GET /api/auth/verifyemail/{code}": {200, 403, 429},
    "POST /api/auth/verifyemail": {200, 403, 429} | BODY,
    "POST /api/auth/forgotpassword": {200, 403, 429} | BODY,
    "PATCH /api/auth/resetpassword/{token}": {200, 403, 429} | BODY,
    "GET /api/users/me": {200} | TOKEN,
    "PATCH /api/users/me": {200, 403, 429} | BODY | TOKEN,
    "PATCH /api/users/me/email": {200, 403, 409, 429} | BODY | TOKEN,
    "PATCH /api/users/me/password": {200, 403, 429} | TOKEN | BODY,
    "POST /api/users/me/step-up/options": {200, 403, 404, 429} | TOKEN,
    "POST /api/users/me/step-up": {200, 403, 404, 429} | TOKEN | BODY,
    "GET /api/users/me/factors": {200, 429} | TOKEN,
    "POST /api/users/me/factors/totp": {200, 403, 429} | TOKEN,
    "POST /api/users/me/factors/totp/confirm": {200, 403, 404, 429} | TOKEN | BODY,
    "DELETE /api/users/me/factors/totp": {200, 403, 404, 409, 429} | TOKEN | BODY,
    "POST /api/users/me/factors/recovery-codes": {200, 403, 404, 429} | TOKEN | BODY,
    "POST /api/auth/login/second-factor/lost": {200, 403, 409, 429},
    "DELETE /api/users/me/factors/reset": {200, 403, 404, 429} | TOKEN,
    "GET /api/users/me/factors/passkeys": {200, 429} | TOKEN,
    "POST /api/users/me/factors/passkeys/options": {200, 403, 404, 409, 429} | TOKEN,
    "POST /api/users/me/factors/passkeys": {201, 403, 404, 409, 429} | TOKEN | BODY,
    "PATCH /api/users/me/factors/passkeys/{passkey_id}": {200, 403, 404, 429} | TOKEN | BODY,
    "DELETE /api/users/me/factors/passkeys/{passkey_id}": {200, 403, 404, 409, 429} | TOKEN | BODY,
    "GET /api/users/me/sessions": {200, 429} | TOKEN,
    "DELETE /api/users/me/sessions": {200, 403, 429} | TOKEN,
    "DELETE /api/users/me/sessions/{session_id}": {200, 403, 404, 429} | TOKEN,
    "GET /api/admin/me": {200, 403, 429} | TOKEN,
    "GET /api/admin/people": {200, 400, 403, 429} | TOKEN,
    "GET /api/admin/people/{account_id}": {200, 403, 404, 429} | TOKEN,
    "POST /api/admin/people": {201, 403, 409, 429} | TOKEN | BODY,
    "POST /api/admin/invitations": {201, 403, 409, 429} | TOKEN | BODY,
    **{
        f"POST /api/admin/people/{{account_id}}/{act}": {200, 403, 404, 429} | TOKEN | more
        for act, more in ACTS.items()
    },
    "POST /api/admin/people/{account_id}/export": {200, 403, 404, 429} | TOKEN,
    "DELETE /api/admin/people/{account_id}/sessions/{session_id}": {200, 403, 404, 429} | TOKEN,
    "GET /api/admin/letters": {200, 400, 403, 429} | TOKEN,
    "POST /api/admin/letters/retry": {200, 403, 429} | TOKEN,
    "POST /api/admin/letters/{letter_id}/retry": {200, 403, 429} | TOKEN,
    "GET /api/admin/keys": {200, 403, 429} | TOKEN,
    "POST /api/admin/keys/rotate": {200, 403, 409, 429} | TOKEN,
    "GET /api/admin/services": {200, 403, 429} | TOKEN,
    "POST /api/admin/services/{name}": {201, 400, 403, 409, 429} | TOKEN,
    "DELETE /api/admin/services/{name}": {200, 403, 404, 429} | TOKEN,
    "GET /api/admin/roles": {200, 403, 429} | TOKEN,
    "POST /api/admin/roles": {201, 403, 409, 429} | TOKEN | BODY,
    "PATCH /api/admin/roles/{name}": {200, 403, 404, 429} | TOKEN | BODY,
    "DELETE /api/admin/roles/{name}": {200, 403, 404, 409, 429} | TOKEN,
    "DELETE /api/admin/roles/{name}/holders": {200, 403, 404, 429} | TOKEN,
    "GET /api/admin/health": {200, 403, 429} | TOKEN,
    "POST /api/admin/people/{account_id}/impersonate": {201, 403, 404, 409, 429} | TOKEN | BODY,
    "GET /api/admin/events": {200, 400, 403, 404, 429} | TOKEN,
    "GET /api/admin/events/export": {200, 400, 403, 404, 429} | TOKEN,
    "GET /api/auth/verify": {204, 403} | TOKEN,
    "POST /api/auth/introspect": {200, 429} | TOKEN | BODY,
    "GET /api/revocations": {200, 429, 503} | TOKEN,
    "GET /.well-known/vestibule-permissions": {200},
    "GET /.well-known/jwks.json": {200},
    "GET /healthz/live": {200},
    "GET /healthz/ready": {200, 503},
}
# What these answer to a service is in tests/stories/services; the feed's answer has no end.
FOR_SERVICES = {"POST /api/auth/introspect", "GET /api/revocations"}
PARAMETER = re.compile(r"\{(\w+)\}")
WITH_A_BODY = [f"{route.method} {route.path}" for route in ROUTES if route.body]
WITH_COOKIES = [label for label in STATUSES if label.endswith(("/refresh", "/logout", "/me"))]


def operation(label: str) -> Any:
    """What the document says of one route."""
    method, _, path = label.partition(" ")
    return SCHEMA[path][method]


def test_the_document_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    SCHEMA.validate()


async def test_it_is_the_document_that_is_served(world: World) -> None:
    assert (await (await world.client()).get("/openapi.json")).json() == DOCUMENT


def test_it_lists_the_map_and_nothing_else() -> None:
    listed = {f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert listed == {f"{route.method} {route.path}" for route in ROUTES if route.method != "HEAD"}
    assert listed == STATUSES.keys()


@pytest.mark.parametrize("label", STATUSES)
def test_each_status_is_declared_and_no_other(label: str) -> None:
    declared = {int(status) for status in operation(label).definition.raw["responses"]}
    # What refuses nobody asks nobody, so it cannot find anybody away either.
    asks = max(STATUSES[label]) >= 400
    assert declared == STATUSES[label] | ({503} if asks else set())


def test_the_lengths_of_a_new_password_are_this_installations() -> None:
    password = DOCUMENT["paths"]["/api/auth/register"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    rules = POLICY.passwords
    described = password["properties"]["password"]
    assert (described["minLength"], described["maxLength"]) == (rules.min_length, rules.max_length)


async def answers_to(client: httpx.AsyncClient, label: str, mode: GenerationMode) -> Counter[int]:
    """Ask many times as the document allows, or forbids; fail at the first answer that is not declared.

    Hypothesis runs in a thread of its own and the requests in this loop, to which the database's connections belong.
    """
    loop = asyncio.get_running_loop()
    answered: Counter[int] = Counter()

    async def ask(request: dict[str, Any]) -> httpx.Response:
        client.cookies.clear()
        return await client.request(**request)

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(operation(label).as_strategy(generation_mode=mode))
    def run(case: Case) -> None:
        request = case.as_transport_kwargs(base_url=BASE)
        assume(not request["url"].partition("?")[0].endswith("%0A"))  # which no route has (web/layers/headers.py)
        request["headers"] = dict(request["headers"])
        del request["cookies"]
        if isinstance(request.get("data"), str | bytes):
            request["content"] = request.pop("data")
        response = asyncio.run_coroutine_threadsafe(ask(request), loop).result(WAIT_SECONDS)
        case.validate_response(response, checks=CHECKS)
        answered[response.status_code] += 1

    await asyncio.to_thread(run)
    return answered


@pytest.mark.parametrize("label", STATUSES)
async def test_every_answer_is_as_declared(world: World, label: str) -> None:
    answered = await answers_to(await world.client(), label, GenerationMode.POSITIVE)
    assert answered.total() >= (EXAMPLES if "{" in label or label in WITH_A_BODY else 1)


@pytest.mark.parametrize("label", WITH_A_BODY)
async def test_every_answer_to_a_wrong_body_is_as_declared(world: World, label: str) -> None:
    answered = await answers_to(await world.client(), label, GenerationMode.NEGATIVE)
    assert answered.total() >= EXAMPLES


@pytest.mark.parametrize("label", WITH_COOKIES)
async def test_every_answer_to_somebody_signed_in_is_as_declared(world: World, label: str) -> None:
    await world.register()
    browser = await world.sign_in()
    browser.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    assert (await answers_to(browser, label, GenerationMode.POSITIVE)).total()


async def test_every_success_is_as_declared(world: World) -> None:
    browser = await world.client()
    ada = {"email": "ada@example.com", "password": "correct horse"}
    twice = {"password": "battery staple", "passwordConfirm": "battery staple"}
    again = {"password": ada["password"], "passwordConfirm": ada["password"]}
    seen = set()

    async def ask(label: str, status: int, secret: str = "", **body: Any) -> httpx.Response:
        method, _, path = label.partition(" ")
        address = path.partition("{")[0] + secret
        answer = await browser.request(method, address, json=body or None)
        assert answer.status_code == status, answer.text
        content = {"body": body, "media_type": "application/json"} if body else {}
        case = operation(label).Case(path_parameters=dict.fromkeys(PARAMETER.findall(path), secret), **content)
        case.validate_response(answer, checks=CHECKS)
        seen.add(label)
        return answer

    await ask("GET /api/healthchecker", 200)
    await ask("GET /.well-known/vestibule-permissions", 200)
    await ask("GET /.well-known/jwks.json", 200)
    await ask("GET /healthz/live", 200)
    await ask("GET /healthz/ready", 200)
    await ask("POST /api/auth/register", 201, name="Ada", **ada, passwordConfirm=ada["password"])
    await ask("POST /api/auth/register", 409, name="Ada", **ada, passwordConfirm=ada["password"])
    await world.deliver()
    await ask("GET /api/auth/verifyemail/{code}", 200, world.secret(LetterKind.VERIFY_EMAIL))
    await ask("POST /api/auth/login", 200, **ada)
    await ask("POST /api/auth/email-code", 200, email=ada["email"])
    await world.deliver()
    await ask("POST /api/auth/email-code/verify", 403, code="wrong")
    await ask("POST /api/auth/email-code/verify", 200, code=world.mailer.letters[-1].code)
    authenticator, mine = Authenticator(), "/api/users/me/factors/passkeys"
    asked = await ask(f"POST {mine}/options", 200)
    made = authenticator.create(asked.json()["data"]["publicKey"])
    added = await ask(f"POST {mine}", 201, credential=made)
    await ask(f"GET {mine}", 200)
    asked = await ask("POST /api/auth/passkeys/options", 200)
    signed = authenticator.get(asked.json()["data"]["publicKey"])
    await ask("POST /api/auth/passkeys/verify", 200, credential=signed)
    await ask("GET /api/users/me", 200)
    await ask("PATCH /api/users/me", 200, name="Countess")
    await ask("GET /api/admin/me", 403)
    await ask("GET /api/admin/people", 403)
    await ask("GET /api/admin/people/{account_id}", 403, "x")
    await ask("POST /api/admin/people", 403, name="Bob", email="bob@example.com")
    await ask("POST /api/admin/invitations", 403, email="bob@example.com")
    typed = {"delete": {"email": ada["email"]}, "disable": {"reason": "x"}, "set-role": {"role": "user"}}
    typed |= {"set-email": {"new_email": "bob@example.com"}, "set-roles": {"roles": ["billing"]}}
    for act in ACTS:
        await ask(f"POST /api/admin/people/{{account_id}}/{act}", 403, f"x/{act}", **typed.get(act, {}))
    await ask("POST /api/admin/people/{account_id}/export", 403, "x/export")
    await ask("DELETE /api/admin/people/{account_id}/sessions/{session_id}", 403, "x/sessions/y")
    for part in ("letters", "keys", "services", "roles", "health"):
        await ask(f"GET /api/admin/{part}", 403)
    await ask("POST /api/admin/letters/retry", 403)
    await ask("POST /api/admin/letters/{letter_id}/retry", 403, "x/retry")
    await ask("POST /api/admin/keys/rotate", 403)
    await ask("POST /api/admin/services/{name}", 403, "billing")
    await ask("DELETE /api/admin/services/{name}", 403, "billing")
    await ask("POST /api/admin/roles", 403, name="billing", permissions=["invoices:read"])
    await ask("PATCH /api/admin/roles/{name}", 403, "billing", permissions=["invoices:read"])
    await ask("DELETE /api/admin/roles/{name}", 403, "billing")
    await ask("DELETE /api/admin/roles/{name}/holders", 403, "billing/holders")
    await ask("POST /api/admin/people/{account_id}/impersonate", 403, "x/impersonate", reason="a ticket")
    await ask("GET /api/admin/events", 403)
    await ask("GET /api/admin/events/export", 403)
    await ask("GET /api/auth/verify", 204)
    asked = await ask("POST /api/users/me/step-up/options", 200)
    credential = authenticator.get(asked.json()["data"]["publicKey"])
    await ask("POST /api/users/me/step-up", 200, credential=credential)
    await ask("POST /api/users/me/step-up", 403, password=ada["password"])
    passkey_id = added.json()["data"]["passkey"]["id"]
    await ask(f"PATCH {mine}/{{passkey_id}}", 200, passkey_id, name="Blue key")
    await ask(f"DELETE {mine}/{{passkey_id}}", 200, passkey_id)
    await ask("POST /api/users/me/step-up", 200, password=ada["password"])
    await ask("GET /api/users/me/sessions", 200)
    await ask("GET /api/users/me/factors", 200)
    begun = await browser.post("/api/users/me/factors/totp")
    code = pyotp.parse_uri(begun.json()["data"]["uri"]).at(world.clock.now())
    await ask("POST /api/users/me/factors/totp/confirm", 200, code=code)
    await ask("GET /api/users/me/factors", 200)
    await begin_reset(world.env, COMMAND_LINE, await account(world))
    await ask("GET /api/users/me/factors", 200)
    await ask("DELETE /api/users/me/factors/reset", 200)
    await ask("DELETE /api/users/me/factors/reset", 404)
    await ask("POST /api/auth/login", 403, **ada)
    await ask("POST /api/auth/login/second-factor/options", 200)
    await ask("POST /api/auth/login/second-factor/lost", 403)
    await ask("POST /api/auth/login/second-factor", 403, code="wrong")
    world.clock.advance(seconds=30)
    code = pyotp.parse_uri(begun.json()["data"]["uri"]).at(world.clock.now())
    await ask("POST /api/auth/login/second-factor", 200, code=code)
    await ask("POST /api/users/me/factors/recovery-codes", 200)
    await ask("DELETE /api/users/me/factors/totp", 200)
    await ask("POST /api/users/me/factors/totp", 200)
    other = await world.sign_in(**ada)
    verified = await other.get("/api/auth/verify")
    await ask("DELETE /api/users/me/sessions/{session_id}", 200, verified.headers["vestibule-session"])
    await ask("DELETE /api/users/me/sessions", 200)
    await ask("PATCH /api/users/me/email", 200, currentPassword=ada["password"], email="countess@example.com")
    await ask("POST /api/auth/verifyemail", 200, email=ada["email"])
    await ask("PATCH /api/users/me/password", 200, currentPassword=ada["password"], **again)
    await ask("GET /api/auth/refresh", 200)
    await ask("POST /api/auth/refresh", 200)
    await ask("GET /api/auth/logout", 200)
    await ask("POST /api/auth/login", 200, **ada)
    await ask("POST /api/auth/logout", 200)
    await ask("POST /api/auth/forgotpassword", 200, email=ada["email"])
    await world.deliver()
    await ask("PATCH /api/auth/resetpassword/{token}", 200, world.secret(LetterKind.RESET_PASSWORD), **twice)
    switch(world, SecondFactorRule.REQUIRED)
    await ask("POST /api/auth/login", 403, email=ada["email"], password=twice["password"])
    begun = await ask("POST /api/auth/login/enrol/totp", 200)
    code = pyotp.parse_uri(begun.json()["data"]["uri"]).at(world.clock.now())
    await ask("POST /api/auth/login/enrol/totp/confirm", 200, code=code)
    await ask("DELETE /api/users/me/factors/totp", 409)
    bob = {"email": "bob@example.com", "password": "correct horse"}
    await ask("POST /api/auth/register", 201, name="Bob", **bob, passwordConfirm=bob["password"])
    await ask("POST /api/auth/login", 403, **bob)
    asked = await ask("POST /api/auth/login/enrol/passkey/options", 200)
    made = authenticator.create(asked.json()["data"]["publicKey"])
    await ask("POST /api/auth/login/enrol/passkey", 200, credential=made)
    assert seen == STATUSES.keys() - FOR_SERVICES
