"""A real nginx that collects the stream before it passes it on: the feed is polled, and streamed again afterwards."""

import logging
import time
from pathlib import Path

import httpx
import pytest

from tests.conftest import not_to_be_had
from tests.harness.nginx import binary, running
from tests.harness.process import given_keys, register, run, serving, sign_in
from tests.harness.servers import SLACK_SECONDS, NotToBeHad, free_port, wait_until
from vestibule.client import CallerRefusedError, SessionOverError, Verifier

EMAIL = "ada@example.com"
POLLED_SECONDS = 2.0
"""How long a sign-out takes at most to be noticed: a pause of 1.2 s between two polls, and what they take."""

SERVER = """\
gzip_types text/event-stream;
gzip_proxied any;
gzip_min_length 1;
server {{
    listen unix:{folder}/gzip;
    gzip {compressing};
    location / {{
        proxy_pass http://127.0.0.1:{vestibule};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_ignore_headers X-Accel-Buffering;
    }}
}}
server {{
    listen 127.0.0.1:{port};
    gunzip on;
    location / {{
        proxy_pass http://unix:{folder}/gzip;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Accept-Encoding gzip;
    }}
}}
"""


def server(folder: Path, port: int, vestibule: int, *, buffering: bool) -> str:
    """Two in a row: one compresses, and so collects some kilobytes before it passes anything on; the other unpacks."""
    (folder / "gzip").unlink(missing_ok=True)
    compressing = "on" if buffering else "off"
    return SERVER.format(folder=folder, port=port, vestibule=vestibule, compressing=compressing)


def test_k32_behind_a_proxy_that_buffers_sign_outs_arrive_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """K32: a little later; the log says once what is the matter, and it streams again when nothing buffers any more."""
    try:
        binary()
    except NotToBeHad as reason:
        not_to_be_had(reason)
    caplog.set_level(logging.INFO, "vestibule.client")
    port = free_port()
    with serving(tmp_path, **given_keys()) as vestibule, vestibule.browser() as browser:
        register(browser, EMAIL)
        key = run(tmp_path, "services", "create", "orders", **given_keys()).stdout.strip()
        verifier = Verifier(f"http://127.0.0.1:{port}", key)
        with running(tmp_path, server(tmp_path, port, vestibule.port, buffering=True), port):
            verifier.start()
            for _ in range(3):
                assert refused_after(verifier, browser) < POLLED_SECONDS + SLACK_SECONDS
            wait_until(lambda: "something in between buffers" in caplog.text, "the log to say so")
        with running(tmp_path, server(tmp_path, port, vestibule.port, buffering=False), port):
            wait_until(lambda: "comes as a stream again" in caplog.text, "the stream")
            assert refused_after(verifier, browser) < POLLED_SECONDS + SLACK_SECONDS
            verifier.close()
    assert caplog.text.count("something in between buffers") == 1


def refused_after(verifier: Verifier, browser: httpx.Client) -> float:
    """Sign in and out again; return the seconds after which the service refuses the token."""
    sign_in(browser, EMAIL)
    token = browser.cookies["access_token"]
    wait_until(lambda: fate(verifier, token) is None, "the caller to be let in")
    assert browser.post("/api/auth/logout").status_code == 200
    begun = time.monotonic()
    wait_until(lambda: fate(verifier, token) is SessionOverError, "the refusal")
    return time.monotonic() - begun


def fate(verifier: Verifier, token: str) -> type[CallerRefusedError] | None:
    try:
        verifier.check(token)
    except CallerRefusedError as refusal:
        return type(refusal)
    return None
