"""K8: after a leak, an operator withdraws a key; a service that keeps keys for minutes refuses it in a second."""

import base64
import json
from pathlib import Path

import pytest

from tests.harness.process import register, run, serving, sign_in
from tests.harness.servers import wait_until
from vestibule.client import TokenInvalidError, Verifier

EMAIL = "ada@example.com"
SETTINGS = {"VESTIBULE_SIGNING_ALGORITHM": "ES256"}


def test_k8_what_a_withdrawn_key_signed_is_refused_at_once_and_others_are_let_in(tmp_path: Path) -> None:
    with serving(tmp_path, **SETTINGS) as server, server.browser() as browser:
        register(browser, EMAIL)
        sign_in(browser, EMAIL)
        before = browser.cookies["access_token"]
        key = run(tmp_path, "services", "create", "orders", **SETTINGS).stdout.strip()
        with Verifier(server.base, key, key_refetch=3600) as verifier:
            assert verifier.check(before).id
            for command in (("rotate", "--use", "access", "--now"), ("withdraw", key_id(before), "--now")):
                done = run(tmp_path, "keys", *command, **SETTINGS)
                assert done.returncode == 0, done.stderr
            wait_until(lambda: key_id(before) not in verifier._here().memory.keys, "the key to be gone at the service")
            with pytest.raises(TokenInvalidError):
                verifier.check(before)
            sign_in(browser, EMAIL)
            after = browser.cookies["access_token"]
            assert key_id(after) != key_id(before)
            assert verifier.check(after).id


def key_id(token: str) -> str:
    header = token.partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])
