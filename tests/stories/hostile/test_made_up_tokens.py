"""H21: what cannot be a token costs the database nothing, in a path, a body, a cookie or a header."""

import re

import httpx
import pytest

from tests.harness.forms import csrf_in
from tests.harness.statements import statements
from tests.harness.world import BASE, World
from tests.unit.flows import twice
from vestibule.web.map_lines import Page, Route
from vestibule.web.map_reading import PAGES, ROUTES

MADE_UP = {
    "short": "x",
    "markup": "%3Cscript%3E",
    "long": "a" * 3_000,
    "NUL": "%00",
    "almost": "g" * 64,
    "upper": "A" * 64,
}
MAILED = {f"{line.method} {line.path}": line for line in (*ROUTES, *PAGES) if re.search(r"\{(code|token)\}", line.path)}
CARRYING = {f"{line.method} {line.path}": line for line in ROUTES if "{" not in line.path and line.method == "GET"}


async def send(browser: httpx.AsyncClient, line: Route | Page, path: str, csrf: str) -> int:
    if line.method == "PATCH":
        return (await browser.patch(path, json=twice("battery staple"))).status_code
    if line.method == "POST":
        return (await browser.post(path, data={"csrf": csrf, **twice("battery staple")})).status_code
    return (await browser.request(line.method, path)).status_code


@pytest.mark.parametrize("line", MAILED.values(), ids=MAILED)
async def test_h21_no_mailed_secret_that_cannot_be_one_is_looked_up(world: World, line: Route | Page) -> None:
    """H21: of a stranger, and of who is signed in, as whom something may be read."""
    await world.register()
    signed_in = await world.sign_in()
    signed_in.headers["Origin"] = BASE
    csrf = csrf_in(await signed_in.get("/profile/security"))
    stranger = await world.client(origin=BASE)
    for browser in (stranger, signed_in):
        with statements() as asked:
            for value in MADE_UP.values():
                assert await send(browser, line, re.sub(r"\{\w+\}", value, line.path), csrf) < 500
        assert [each for each in asked if "one_time_tokens" in each] == []
        assert browser is signed_in or asked == []


@pytest.mark.parametrize("where", ["access_token", "refresh_token", "Authorization"])
async def test_h21_nothing_is_asked_for_what_nobody_signed(world: World, where: str) -> None:
    """H21: at every line of the map that a token is given to."""
    await world.register()
    stranger = await world.client()
    await stranger.get("/.well-known/vestibule-permissions")  # is read once, and then as the roles are followed
    for value in ("x", "a" * 3_000, "e30.e30.e30", "A" * 64):
        header = f"Bearer {value}" if where == "Authorization" else f"{where}={value}"
        name = where if where == "Authorization" else "Cookie"
        for line in CARRYING.values():
            if line.path == "/healthz/ready":  # which asks whether there is a database
                continue
            with statements() as asked:
                assert (await stranger.get(line.path, headers={name: header})).status_code < 500
            assert asked == [], line.path
        with statements() as asked:
            await stranger.post("/api/auth/refresh", headers={name: header})
            await stranger.post("/api/auth/logout", headers={name: header})
            await stranger.get("/profile", headers={name: header})
        assert asked == []


async def test_h21_nor_for_a_device_or_a_service_that_keeps_no_secret(world: World) -> None:
    """H21: what a browser is known by, and what a service shows."""
    await world.register()
    stranger = await world.client()
    with statements() as asked:
        for key in ("x", "a" * 3_000, "vst_x", "A" * 64):
            headers = {"Authorization": f"Bearer {key}"}
            form = {"token": "x"}
            assert (await stranger.post("/api/auth/introspect", data=form, headers=headers)).status_code == 401
    assert asked == []
    with statements() as asked:
        odd = {"Cookie": "device_x=y; device_=; __Host-device_x=" + "a" * 300}
        await stranger.post("/api/auth/forgotpassword", json={"email": "ada@example.com"}, headers=odd)
    assert [each for each in asked if "known_devices" in each] == []
