"""Introspection: what a token is worth at this moment, told to services only (RFC 7662)."""

import httpx

from tests.harness.world import World
from vestibule.flows.service_keys import create_service_key

PATH = "/api/auth/introspect"
INACTIVE = {"active": False}


async def a_service(world: World) -> httpx.AsyncClient:
    client = await world.client(origin=None)
    client.headers["Authorization"] = f"Bearer {await create_service_key(world.env, 'billing')}"
    return client


async def test_a_good_token_is_told_with_its_claims_and_no_more(world: World) -> None:
    await world.register()
    service, browser = await a_service(world), await world.sign_in()
    told = (await service.post(PATH, data={"token": browser.cookies["access_token"]})).json()
    assert told.keys() == {
        "active",
        "sub",
        "sid",
        "jti",
        "role",
        "email_verified",
        "iss",
        "aud",
        "iat",
        "exp",
        "auth_time",
        "amr",
        "acr",
        "token_type",
    }
    assert (told["auth_time"], told["amr"], told["acr"]) == (told["iat"], ["pwd"], "urn:vestibule:1")
    assert (told["active"], told["role"], told["iss"], told["token_type"]) == (True, "user", "vestibule", "Bearer")
    assert told["exp"] - told["iat"] == 900


async def test_what_is_worth_nothing_is_inactive_and_nothing_more_is_said(world: World) -> None:
    await world.register()
    service, browser = await a_service(world), await world.sign_in()
    token = browser.cookies["access_token"]
    await browser.post("/api/auth/logout")
    for worthless in (token, browser.cookies.get("refresh_token", "x"), "a.b.c", "", token[:-4]):
        answer = await service.post(PATH, data={"token": worthless})
        assert (answer.status_code, answer.json()) == (200, INACTIVE)
    assert (await service.post(PATH)).json() == INACTIVE
    world.clock.advance(hours=1)
    assert (await service.post(PATH, data={"token": token})).json() == INACTIVE


async def test_a_body_that_is_no_form_is_refused(world: World) -> None:
    service = await a_service(world)
    assert (await service.post(PATH, json={"token": "x"})).status_code == 415
    assert (await service.post(PATH, data={"token": "x" * 11_000})).status_code == 413
    assert (await service.post(PATH, content=b"token=a&token=b")).status_code == 400


async def test_without_a_database_it_says_503_and_never_inactive(world: World) -> None:
    await world.register()
    service, browser = await a_service(world), await world.sign_in()
    world.clock.advance(seconds=60)
    await world.take_database_away()
    answer = await service.post(PATH, data={"token": browser.cookies["access_token"]})
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
