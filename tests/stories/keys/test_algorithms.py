"""Servers whose keys are not RSA: signing in, refreshing, logging out, the published keys, and the way from one to the
other while tokens are out.
"""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.harness.backends import Backend
from tests.harness.process import given_keys, link_in, register, run, serving, sign_in, text_of, tour
from tests.harness.world import POLICY, world_on
from vestibule.client import Verifier
from vestibule.crypto import jwk
from vestibule.crypto.seal import Seal
from vestibule.flows.follow_keys import ensure_next_keys, reread_keys
from vestibule.flows.rotate_keys import rotate_key
from vestibule.model.signing_keys import KeyManager, KeyUse

KINDS = {"ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}
SECRET = "a secret of more than thirty-two characters"


def alg_of(token: str) -> str:
    return str(json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))["alg"])


@pytest.mark.parametrize("algorithm", KINDS)
def test_t1_the_contract_s_day_and_the_kit_with_another_algorithm(algorithm: str, tmp_path: Path) -> None:
    settings = {"VESTIBULE_SIGNING_ALGORITHM": algorithm}
    with serving(tmp_path, **settings) as server, server.browser() as browser:
        tour(browser, "ada@example.com", lambda: next(map(link_in, map(text_of, server.letters)), ""))
        browser.post("/api/auth/login", json={"email": "ada@example.com", "password": "correct horse"})
        token = browser.cookies["access_token"]
        assert alg_of(token) == algorithm
        assert alg_of(browser.cookies["refresh_token"]) == "EdDSA", "which no service reads"
        published = browser.get("/.well-known/jwks.json").json()["keys"]
        assert {(key["alg"], key["kty"], key["crv"]) for key in published} == {(algorithm, *KINDS[algorithm])}
        service_key = run(tmp_path, "services", "create", "orders", **settings).stdout.strip()
        verifier = Verifier(server.base, service_key)
        try:
            assert verifier.check(token).claims["iss"] == "vestibule"
        finally:
            verifier.close()
        assert algorithm in run(tmp_path, "keys", "list", **settings).stdout
        assert f"{algorithm} 256" not in run(tmp_path, "doctor", **settings).stdout


def test_keys_of_the_contract_sign_both_kinds_of_token_with_rs256(tmp_path: Path) -> None:
    """T1: keys from the settings sign as they are."""
    with serving(tmp_path, **given_keys()) as server, server.browser() as browser:
        register(browser, "ada@example.com")
        sign_in(browser, "ada@example.com")
        for _ in range(2):
            assert [alg_of(browser.cookies[name]) for name in ("access_token", "refresh_token")] == ["RS256"] * 2
            assert browser.post("/api/auth/refresh").status_code == 200


def test_keys_of_another_kind_may_be_given(tmp_path: Path) -> None:
    settings = {}
    for name in ("ACCESS", "REFRESH"):
        key = jwk.generate(algorithm="EdDSA")
        settings[f"JWT_{name}_TOKEN_PRIVATE_KEY"] = base64.b64encode(key.to_pem()).decode()
        settings[f"JWT_{name}_TOKEN_PUBLIC_KEY"] = base64.b64encode(key.public.to_pem()).decode()
    with serving(tmp_path, **settings) as server, server.browser() as browser:
        tour(browser, "ada@example.com", lambda: next(map(link_in, map(text_of, server.letters)), ""))


async def test_from_rsa_to_another_kind_while_tokens_are_out(backend: Backend) -> None:
    """T1: nobody is signed out by the change; each key goes on checking what it signed."""
    rsa, curve = (KeyManager(Seal(SECRET), algorithm, 2048) for algorithm in ("RS256", "ES256"))
    async with world_on(backend, key_manager=rsa) as world:
        await world.register()
        client = await world.sign_in()
        await ensure_next_keys(world.env)
        tokens = [client.cookies["access_token"]]
        world.env = replace(world.env, key_manager=curve)
        for _ in range(2):
            world.clock.advance(seconds=POLICY.key_lead.total_seconds() + 1)
            for use in KeyUse:
                await rotate_key(world.env, use)
            await reread_keys(world.env, world.env.watching)
            answer = await client.post("/api/auth/refresh")
            assert answer.status_code == 200
            tokens.append(client.cookies["access_token"])
        assert [alg_of(token) for token in tokens] == ["RS256", "RS256", "ES256"]
        for token in tokens[1:]:
            answer = await client.get("/api/users/me", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 200
