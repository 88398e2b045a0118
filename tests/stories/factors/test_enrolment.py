"""Adding an authenticator app, replacing and removing it; and the recovery codes that come and go with it."""

import re

import pyotp
import pytest

from tests.harness import dump
from tests.harness.world import World
from tests.stories.factors.apps import CODES, CONFIRM, PASSWORD, TOTP, confirm, enrol, listed, prove, scan
from vestibule.model.letters import LetterKind

ADA = "ada@example.com"
NONE = {"totp": None, "recovery_codes_left": 0, "reset": None}


async def test_f2_an_app_counts_once_a_code_of_it_was_confirmed(world: World) -> None:
    """F2: not before; the first factor comes with ten recovery codes, which are shown once."""
    await world.register()
    browser = await world.sign_in()
    app = await scan(world, browser)
    assert await listed(browser) == NONE
    wrong = await browser.post(CONFIRM, json={"code": app.code(steps=5)})
    assert (wrong.status_code, wrong.json()["code"]) == (403, "code_of_another_time")
    assert await listed(browser) == NONE
    added = await confirm(browser, app.code())
    assert len(set(added["recovery_codes"])) == 10
    assert all(re.fullmatch(rf"{n}(-[0-9a-z]{{5}}){{2}}", code) for n, code in enumerate(added["recovery_codes"]))
    assert added["other_sessions"] == 0
    mine = await listed(browser)
    assert (mine["recovery_codes_left"], set(mine["totp"])) == (10, {"createdAt", "lastUsedAt"})
    await prove(browser, app)
    again = await browser.post(CONFIRM, json={"code": app.next_code()})
    assert (again.status_code, again.json()["code"]) == (404, "factor_unknown")


async def test_f2_the_key_the_uri_and_the_qr_code_say_the_same(world: World) -> None:
    """F2: the key as text is the URI's secret; the QR code is SVG without script and without a link."""
    await world.register()
    answer = await (await world.sign_in()).post(TOTP)
    assert answer.headers["cache-control"] == "no-store"
    data = answer.json()["data"]
    scanned = pyotp.parse_uri(data["uri"])
    assert (scanned.secret, scanned.name, scanned.issuer) == (data["key"].replace(" ", ""), ADA, "Vestibule")
    assert set(re.findall(r"<(\w+)", data["qr"])) == {"svg", "g", "path"}
    assert "href" not in data["qr"]


async def test_f2_a_new_app_replaces_the_old_one_when_it_is_confirmed_and_not_before(world: World) -> None:
    """F2: whoever scans a code and never types one in keeps the old app."""
    await world.register()
    browser = await world.sign_in()
    old, codes = await enrol(world, browser)
    await prove(browser, old)
    before = (await listed(browser))["totp"]
    await scan(world, browser)
    app = await scan(world, browser)
    assert (await listed(browser))["totp"] == before
    world.clock.advance(seconds=30)
    added = await confirm(browser, app.code())
    assert added["recovery_codes"] == [], "the earlier ones go on working"
    assert (await listed(browser))["totp"] != before
    tables = await dump.tables(world)
    assert (len(tables["totps"]), len(tables["recovery_codes"])) == (1, len(codes))


async def test_f2_another_session_neither_sees_nor_confirms_an_app_that_was_begun(world: World) -> None:
    """F2: it may be a thief's, who would have the app's secret too, or whose app the owner would confirm."""
    await world.register()
    mine, other = await world.sign_in(), await world.sign_in()
    app = await scan(world, mine)
    key = app.totp.secret
    shown = (await mine.get("/profile/security/authenticator")).text.replace(" ", "")
    assert key in shown
    assert key not in (await other.get("/profile/security/authenticator")).text.replace(" ", "")
    refused = await other.post(CONFIRM, json={"code": app.code()})
    assert (refused.status_code, refused.json()["code"]) == (404, "factor_unknown")
    await confirm(mine, app.code())


async def test_f2_an_app_that_was_begun_long_ago_is_not_confirmed(world: World) -> None:
    """F2: its secret may have stood on a screen since."""
    await world.register()
    browser = await world.sign_in()
    app = await scan(world, browser)
    world.clock.advance(minutes=16)
    await browser.post("/api/auth/refresh")
    await browser.post("/api/users/me/step-up", json={"password": PASSWORD})
    refused = await browser.post(CONFIRM, json={"code": app.code()})
    assert (refused.status_code, refused.json()["code"]) == (404, "factor_unknown")


async def test_f3_neither_the_secret_nor_a_recovery_code_is_stored_as_it_is(world: World) -> None:
    """F3: a stolen database has neither, nor have the answers about the account."""
    await world.register()
    browser = await world.sign_in()
    app, codes = await enrol(world, browser)
    await world.deliver()
    stored, mine = str(await dump.tables(world)), str(await listed(browser))
    key = pyotp.TOTP(app.totp.secret).byte_secret()
    for secret in (app.totp.secret, key.hex(), *codes, *(code.replace("-", "")[1:] for code in codes)):
        assert secret not in stored
        assert secret not in mine
    assert str(key) not in stored


async def test_f4_the_owner_is_told_of_every_change(world: World) -> None:
    """F4: by an event and a letter, which say what and where from."""
    await world.register()
    await (await world.client()).get(f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}")
    browser = await world.sign_in()
    app, _ = await enrol(world, browser)
    await prove(browser, app)
    assert (await browser.post(CODES)).status_code == 200
    assert (await browser.delete(TOTP)).status_code == 200
    await world.deliver()
    kinds = [letter.kind for letter in world.mailer.letters][-3:]
    assert set(kinds) == {LetterKind.FACTOR_ADDED, LetterKind.RECOVERY_CODES_MADE, LetterKind.FACTOR_REMOVED}
    assert all(letter.detail["network_address"] == "192.0.2.7" for letter in world.mailer.letters[-3:])
    events = str((await dump.tables(world))["events"])
    assert all(kind in events for kind in ("factor_added", "recovery_codes_made", "factor_removed"))


async def test_f4_others_can_be_signed_out_in_the_same_breath(world: World) -> None:
    """F4: the answer says how many others there are; `end_others` ends them at once."""
    await world.register()
    browser, other = await world.sign_in(), await world.sign_in()
    app = await scan(world, browser)
    assert (await confirm(browser, app.code()))["other_sessions"] == 1
    await prove(browser, app)
    again = await scan(world, browser)
    assert (await confirm(browser, again.code(), end_others=True))["other_sessions"] == 0
    gone = await other.get("/api/users/me")
    assert (gone.status_code, gone.json()["code"]) == (401, "session_signed_out_elsewhere")
    assert (await browser.get("/api/users/me")).status_code == 200


async def test_with_the_last_factor_the_recovery_codes_go(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    missing = await browser.delete(TOTP)
    assert (missing.status_code, missing.json()["code"]) == (404, "factor_unknown")
    none = await browser.post(CODES)
    assert (none.status_code, none.json()["code"]) == (404, "factor_unknown"), "codes alone are no factor"
    app, codes = await enrol(world, browser)
    await prove(browser, app)
    assert len(set(codes) & set((await browser.post(CODES)).json()["data"]["recovery_codes"])) == 0
    assert (await browser.delete(TOTP)).status_code == 200
    assert await listed(browser) == NONE
    assert (await dump.tables(world))["recovery_codes"] == []


@pytest.mark.parametrize(
    ("method", "path"), [("POST", TOTP), ("POST", CONFIRM), ("DELETE", TOTP), ("POST", CODES)], ids=lambda each: each
)
async def test_f4_a_sign_in_of_long_ago_changes_no_factor(world: World, method: str, path: str) -> None:
    """F4: whoever finds a browser open has to sign in again first."""
    await world.register()
    browser = await world.sign_in()
    app, _ = await enrol(world, browser)
    before = await dump.tables(world)
    world.clock.advance(seconds=world.env.policy.reauthentication.total_seconds() + 1)
    await browser.post("/api/auth/refresh")
    refused = await browser.request(method, path, json={"code": app.code()})
    assert (refused.status_code, refused.json()["code"]) == (403, "reauthentication_required")
    after = await dump.tables(world)
    assert [after[table] for table in ("totps", "recovery_codes")] == [
        before[table] for table in ("totps", "recovery_codes")
    ]
