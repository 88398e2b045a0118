"""A real nginx that buffers, and keeps answers in spite of `no-store`: nothing it has kept makes a service fresh."""

import time
from pathlib import Path

import pytest

from tests.conftest import not_to_be_had
from tests.harness.nginx import binary, running
from tests.harness.process import given_keys, register, run, serving, sign_in
from tests.harness.servers import SLACK_SECONDS, NotToBeHad, free_port, wait_until
from tests.running.services.test_buffering_proxy import EMAIL, POLLED_SECONDS, fate, server
from vestibule.client import Verifier

STALE_SECONDS = 5.0
KEPT_SECONDS = 60
CACHING = """\
proxy_cache_path {folder}/kept keys_zone=kept:1m;
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://127.0.0.1:{behind};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_ignore_headers Cache-Control Expires Vary X-Accel-Buffering;
        proxy_cache kept;
        proxy_cache_key "{key}";
        proxy_cache_valid 200 {kept}s;
    }}
}}
"""


def kept_in(folder: Path) -> int:
    """How many answers the proxy has kept."""
    return sum(path.is_file() for path in (folder / "kept").rglob("*"))


@pytest.mark.parametrize(
    ("key", "seconds", "said"),
    [
        ("$request_uri", POLLED_SECONDS, "something in between buffers"),
        ("$uri$arg_after$arg_poll", STALE_SECONDS, "a cache in between"),
    ],
    ids=["of each URL", "of URLs that differ in the nonce alone"],
)
def test_k32_behind_a_proxy_that_keeps_answers_a_signed_out_token_is_not_let_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, key: str, seconds: float, said: str
) -> None:
    """K32: either each answer is new, or the service is stale and its log says what keeps it so."""
    try:
        binary()
    except NotToBeHad as reason:
        not_to_be_had(reason)
    port, behind = free_port(), free_port()
    with serving(tmp_path, **given_keys()) as vestibule, vestibule.browser() as browser:
        register(browser, EMAIL)
        sign_in(browser, EMAIL)
        token = browser.cookies["access_token"]
        secret = run(tmp_path, "services", "create", "orders", **given_keys()).stdout.strip()
        buffering = server(tmp_path, behind, vestibule.port, buffering=True)
        caching = CACHING.format(folder=tmp_path, port=port, behind=behind, key=key, kept=KEPT_SECONDS)
        with running(tmp_path, buffering + caching, port), Verifier(f"http://127.0.0.1:{port}", secret) as verifier:
            # The keys, a poll without a cursor, and one with a cursor, which all later polls send for half a minute.
            wait_until(lambda: kept_in(tmp_path) >= 3, "what the proxy keeps")
            assert browser.post("/api/auth/logout").status_code == 200
            begun = time.monotonic()
            wait_until(lambda: fate(verifier, token) is not None, "the refusal")
            assert time.monotonic() - begun < seconds + SLACK_SECONDS
            wait_until(lambda: said in caplog.text, "what the log says")
            assert fate(verifier, token) is not None
