"""Django starts with one verifier, or says what is wrong with `settings.VESTIBULE`; it asks nothing of the network."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import override_settings

from tests.unit.client.asking import AUTH, Ask
from tests.unit.client.django_site import DJANGOS, MESSAGES, OURS, SESSIONS, with_async_django, with_django
from vestibule.client.django import settings as for_django
from vestibule.client.django import verifier

URL, KEY = {"url": "https://auth.example.com"}, {"service_key": "vsk_x"}
WRONG: dict[str, tuple[Any, str]] = {
    "not there": (None, r'lack the dict VESTIBULE: add VESTIBULE = {"url": '),
    "no dict": ([URL], r"lack the dict VESTIBULE: add "),
    "empty": ({}, r"^settings.VESTIBULE: missing a required argument: 'url'$"),
    "no url": (KEY, r"^settings.VESTIBULE: missing a required argument: 'url'$"),
    "no service key": (URL, r"^settings.VESTIBULE: missing a required argument: 'service_key'$"),
    "misspelt": ({**URL, **KEY, "orgins": []}, r"^settings.VESTIBULE: got an unexpected keyword argument 'orgins'$"),
    "no url's url": ({"url": "nonsense", **KEY}, r"^settings.VESTIBULE: .*nonsense"),
    "no service key's key": ({**URL, "service_key": "x"}, r"^settings.VESTIBULE: .*vsk_"),
    "out of bounds": ({**URL, **KEY, "leeway": 61}, r"^settings.VESTIBULE: leeway is 0 to 60 seconds, not 61$"),
    "no kind of it": ({**URL, **KEY, "issuer": 5}, r"^settings.VESTIBULE: "),
    "users": ({**URL, **KEY, "users": {"stuff": []}}, r'^VESTIBULE\["users"\] has these members alone'),
}
THREADS = 8
TIMEOUT_SECONDS = 30


@pytest.fixture(autouse=True)
def _nothing_made(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(for_django, "_made", {})
    for_django.user_rules.cache_clear()
    with override_settings(MIDDLEWARE=[OURS]):
        yield
    for_django.user_rules.cache_clear()


@pytest.mark.parametrize("start", [with_django, with_async_django], ids=["wsgi", "asgi"])
@pytest.mark.parametrize(("said", "sentence"), WRONG.values(), ids=WRONG)
def test_a_wrong_setting_stops_the_start_with_one_sentence(said: Any, sentence: str, start: Callable[[], Ask]) -> None:
    with override_settings(VESTIBULE=said):
        if said is None:
            del settings.VESTIBULE
        with pytest.raises(ImproperlyConfigured, match=sentence) as wrong:
            start()
    assert "\n" not in str(wrong.value)
    assert wrong.value.__suppress_context__ or not wrong.value.__context__


def test_a_start_makes_the_verifier_and_asks_nothing_of_the_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        with override_settings(VESTIBULE={**AUTH, "url": f"http://127.0.0.1:{listening.getsockname()[1]}"}):
            with_django()
            assert list(for_django._made.values()) == [verifier()]
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_management_commands_run_without_a_verifier() -> None:
    with override_settings(VESTIBULE=URL, MIDDLEWARE=[SESSIONS, DJANGOS, MESSAGES, OURS]):
        call_command("check")
        call_command("migrate", plan=True, verbosity=0)
    assert for_django._made == {}


class MadeByAllAtOnce(dict[str, Any]):
    """A setting that is read once all threads read it."""

    def __init__(self) -> None:
        super().__init__(AUTH)
        self.all_there = threading.Barrier(THREADS)

    def items(self) -> Any:
        self.all_there.wait(TIMEOUT_SECONDS)
        return super().items()


def test_first_requests_at_once_share_one_verifier() -> None:
    """As without the middleware. Nobody could close a second one, which would follow Vestibule for ever."""
    with override_settings(VESTIBULE=MadeByAllAtOnce()), ThreadPoolExecutor(THREADS) as threads:
        made = [threads.submit(verifier) for _ in range(THREADS)]
        assert len({each.result(TIMEOUT_SECONDS) for each in made}) == 1
