"""What a caller says of himself beside what is asked: never an effect, whatever it is called and wherever it stands."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from tests.harness.forms import csrf_in
from tests.harness.world import World
from tests.unit.web.people import ada
from vestibule.model.letters import LetterKind
from vestibule.storage.sql.schema import accounts
from vestibule.web.body import ConfirmedBody, ContractBody
from vestibule.web.map_reading import ROUTES

EMAIL, PASSWORD = "ada@example.com", "correct horse"
TWICE = {"password": PASSWORD, "passwordConfirm": PASSWORD}
SMUGGLED: dict[str, Any] = {
    "role": "admin",
    "verified": True,
    "id": "00000000-0000-4000-8000-000000000000",
    "user_id": "00000000-0000-4000-8000-000000000000",
    "accountId": "00000000-0000-4000-8000-000000000000",
    "created_at": "2000-01-01T00:00:00Z",
    "createdAt": "2000-01-01T00:00:00Z",
    "provider": "google",
    "photo": "https://evil.example/x.png",
    "tenant": "another",
    "epoch": 99,
    "disabled_at": None,
    "password_hash": "$argon2id$x",
    "__proto__": {"role": "admin"},
}
NEVER = ("id", "role", "verified", "created_at", "provider", "photo", "disabled_at")
WITH_BODY = {route.body: route for route in ROUTES if route.body is not None}


async def row(world: World) -> dict[str, Any]:
    async with world.engines.sqlalchemy_reading() as connection:
        found = (await connection.execute(select(accounts))).mappings().one()
        return {name: found[name] for name in NEVER}


async def test_h8_registration_makes_an_ordinary_account_whatever_is_said(world: World) -> None:
    body = {"name": "Ada", "email": EMAIL, **TWICE, **SMUGGLED}
    answer = await (await world.client()).post("/api/auth/register", json=body)
    assert answer.status_code == 201
    made = await row(world)
    assert (made["role"], made["verified"], made["provider"]) == ("user", False, None)
    assert made["id"] != SMUGGLED["id"]
    assert made["photo"] == "default.png"
    assert made["created_at"].year > 2000


async def test_h8_no_body_of_any_route_changes_what_is_not_its_own(world: World) -> None:
    """H8: every route that takes a body, each with everything that it does not take."""
    await world.register()
    client, before = await world.sign_in(), await row(world)
    await client.post("/api/auth/forgotpassword", json={"email": EMAIL})
    await world.deliver()
    secret = world.secret(LetterKind.RESET_PASSWORD)
    members = {"name": "Eve", "email": "other@example.com", "currentPassword": PASSWORD, **TWICE}
    asked = []
    for model, route in WITH_BODY.items():
        if route.path == "/api/auth/resetpassword/{token}":
            continue  # the last one, because it ends the session
        asked.append(await client.request(route.method, route.path, json={**members, **SMUGGLED}))
        assert issubclass(model, ContractBody | ConfirmedBody)
    assert {answer.status_code for answer in asked} <= {200, 201, 400, 403, 404, 409}
    async with world.engines.sqlalchemy_transaction() as connection:
        await connection.execute(accounts.delete().where(accounts.c.email == "other@example.com"))
    assert await row(world) == before
    reset = await client.patch(f"/api/auth/resetpassword/{secret}", json={**TWICE, **SMUGGLED})
    assert reset.status_code in {200, 403}
    assert await row(world) == before | {"verified": reset.status_code == 200}


async def test_h8_who_is_asking_comes_from_the_credential_alone(world: World) -> None:
    await world.register()
    await world.register("grace@example.com")
    client = await world.sign_in()
    theirs = (await (await world.sign_in("grace@example.com")).get("/api/users/me")).json()["data"]["user"]
    for named in ({"id": theirs["id"]}, {"user_id": theirs["id"]}, {"email": theirs["email"]}):
        answer = await client.get("/api/users/me", params=named, headers={f"X-{n}": v for n, v in named.items()})
        assert answer.json()["data"]["user"]["email"] == EMAIL


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"email": "a@example.com", "email": "ada@example.com", "password": "correct horse"}', 400),
        (b'{"email": ["ada@example.com"], "password": "correct horse"}', 400),
        (b'{"email": {"0": "ada@example.com"}, "password": "correct horse"}', 400),
        (b'{"email": "ada@example.com", "password": ["correct horse"]}', 400),
        (b'{"email": "ada@example.com", "password": 12345678}', 400),
    ],
)
async def test_h7_a_field_has_one_value_of_its_type(world: World, body: bytes, status: int) -> None:
    await world.register()
    answer = await (await world.client()).post(
        "/api/auth/login", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers


async def test_h7_a_query_is_never_a_field(world: World) -> None:
    await world.register()
    client = await world.client()
    query = {"email": EMAIL, "password": PASSWORD}
    assert (await client.post("/api/auth/login", params=query, json={})).status_code == 400
    wrong = await client.post("/api/auth/login", params=query, json={"email": EMAIL, "password": "wrong horse"})
    assert wrong.json()["code"] == "wrong_credentials"


async def test_h7_a_form_has_each_field_once(world: World) -> None:
    client = await ada(world)
    csrf = csrf_in(await client.get("/profile"))
    answer: httpx.Response = await client.post("/logout", data={"csrf": [csrf, csrf]})
    assert answer.status_code == 400
    assert (await client.get("/profile")).status_code == 200
