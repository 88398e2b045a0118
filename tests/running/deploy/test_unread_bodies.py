"""A flood of bodies that nobody reads, through a proxy that keeps connections: honest requests beside it go well."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.conftest import not_to_be_had
from tests.harness.nginx import running as nginx_running
from tests.harness.process import given_keys, serving
from tests.harness.servers import WAIT_SECONDS, NotToBeHad, free_port

KEEPING = """\
upstream vestibule {{ server 127.0.0.1:{vestibule}; keepalive 8; }}
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://vestibule;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host localhost;
        proxy_next_upstream off;
    }}
}}
"""
FLOODS, HONEST = 300, 600


@pytest.fixture
def behind_nginx(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    for folder in ("vestibule", "nginx"):
        (tmp_path / folder).mkdir()
    with serving(tmp_path / "vestibule", **given_keys()) as server:
        try:
            text = KEEPING.format(vestibule=server.port, port=port)
            with nginx_running(tmp_path / "nginx", text, port):
                yield f"http://127.0.0.1:{port}"
        except NotToBeHad as missing:
            not_to_be_had(str(missing))


@pytest.mark.parametrize("length", [60_000, 200_000])
@pytest.mark.parametrize("path", ["/api/nothing", "/api/auth/login", "/api/users/me"])
def test_h22_a_flood_of_unread_bodies_breaks_no_honest_request(behind_nginx: str, path: str, length: int) -> None:
    """H22: 4 of 100 were answered 502, because their connection had ended without a word."""

    def flood(_: int) -> None:
        with httpx.Client(base_url=behind_nginx, timeout=WAIT_SECONDS) as client:
            for _ in range(FLOODS // 6):
                client.post(path, content=b" " * length)

    def ask(_: int) -> list[int]:
        with httpx.Client(base_url=behind_nginx, timeout=WAIT_SECONDS) as client:
            return [client.get("/api/healthchecker").status_code for _ in range(HONEST // 2)]

    with ThreadPoolExecutor(8) as threads:
        flooding = [threads.submit(flood, number) for number in range(6)]
        answers = Counter(status for each in threads.map(ask, range(2)) for status in each)
        for each in flooding:
            each.result()
    assert answers == {200: HONEST}
