"""What the secrets of apps are sealed under: it can be replaced, and without it nobody skips the app."""

import json
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from tests.harness import dump
from tests.harness.world import World
from tests.stories.factors.apps import SECOND, App, enrol, first_step, scan, second_step
from vestibule.crypto.seal import Seal
from vestibule.flows.enrol_totp import begin_totp, confirm_totp
from vestibule.flows.env import Env
from vestibule.flows.find_people import find_account
from vestibule.flows.identify import Caller, identify
from vestibule.flows.open_totp import open_totp
from vestibule.flows.reencrypt_totps import Reencrypted, reencrypt_totps
from vestibule.model.client_info import ClientInfo
from vestibule.model.factor_errors import TotpUnavailable
from vestibule.model.sessions import Device

OLD = "what the secrets of authenticator apps are sealed under"
NEW, LOST = "another secret of more than thirty-two characters", "a secret that nobody has ever sealed anything under"
HERE = ClientInfo(Device("a browser", "192.0.2.7"))


async def somebody(world: World) -> tuple[App, Caller]:
    """With an app, and signed in."""
    await world.register()
    browser = await world.sign_in()
    app, _ = await enrol(world, browser)
    return app, await identify(world.env, browser.cookies["access_token"])


async def secret_under(env: Env) -> bytes:
    """The secret of the app, opened with this environment's seal."""
    account = await find_account(env, "ada@example.com")
    assert account is not None
    async with env.store.reading() as read:
        totp = await read.totps.confirmed(account.id)
    assert totp is not None
    return open_totp(env, totp)


async def test_f3_a_new_secret_re_encrypts_what_was_sealed_under_the_old_one(world: World) -> None:
    """F3: afterwards the new one opens it alone, and the old one does not."""
    app, _ = await somebody(world)
    old, new = world.env, replace(world.env, seal=Seal(NEW))
    both = replace(world.env, seal=Seal(NEW, OLD))
    assert await secret_under(old) == await secret_under(both) == app.totp.byte_secret()
    assert await reencrypt_totps(both) == Reencrypted(1, 0)
    assert await secret_under(new) == app.totp.byte_secret()
    with pytest.raises(TotpUnavailable):
        await secret_under(old)


async def test_f3_with_a_lost_secret_nothing_is_changed_and_nothing_opens(world: World) -> None:
    await somebody(world)
    before = (await dump.tables(world))["totps"]
    for seal in (Seal(LOST), None):
        without = replace(world.env, seal=seal)
        assert await reencrypt_totps(without) == Reencrypted(0, 1)
        with pytest.raises(TotpUnavailable):
            await secret_under(without)
    assert (await dump.tables(world))["totps"] == before


async def test_f3_without_a_secret_no_app_is_begun_or_confirmed(world: World) -> None:
    await world.register()
    browser = await world.sign_in()
    app, without = await scan(world, browser), replace(world.env, seal=None)
    caller = await identify(world.env, browser.cookies["access_token"])
    with pytest.raises(TotpUnavailable):
        await begin_totp(without, caller)
    with pytest.raises(TotpUnavailable):
        await confirm_totp(without, caller, app.code(), HERE, end_others=False)
    await confirm_totp(world.env, caller, app.code(), HERE, end_others=False)


async def test_f3_no_secret_is_in_a_log_a_refusal_or_the_exported_data(world: World) -> None:
    """F3: neither the app's secret nor a code, spent or not; the export says what there is and since when."""
    with capture_logs() as said:
        await world.register()
        browser = await world.sign_in()
        app, codes = await enrol(world, browser)
        await first_step(other := await world.client())
        wrong = codes[0][:-1] + ("y" if codes[0].endswith("x") else "x")
        refused = await other.post(SECOND, json={"code": wrong})
        assert await second_step(other, codes[0]) == "ok"
        exported = (await other.get("/profile/data")).text
    factors = json.loads(exported)["factors"]
    assert set(factors) == {"totp", "recovery_codes_left", "passkeys"}
    assert set(factors["totp"]) == {"created_at", "confirmed_at", "last_used_at"}
    assert factors["recovery_codes_left"] == 9
    for secret in (app.totp.secret, app.code(), *codes, *(code[2:] for code in codes), "v1."):
        assert secret not in exported
        assert secret not in str(said)
        assert secret not in refused.text
