"""What a `Verifier` and Django's setting take, and refuse with one sentence for each argument."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.unit.client.asking import AUTH
from tests.unit.client.django_site import configure_django
from vestibule.client import Verifier
from vestibule.client.django import settings as for_django
from vestibule.client.testing import SignedIn

configure_django()
ADDRESS = {"url": "https://auth.example.com", "service_key": "vsk_x"}


def in_django(**arguments: Any) -> Verifier:
    return for_django.verifier_from({**arguments, "users": {}})


MADE: dict[str, Callable[..., Verifier]] = {"verifier": Verifier, "django": in_django}
by_both = pytest.mark.parametrize("make", MADE.values(), ids=MADE)

HUGE = (10**400, 10**5000, -(10**5000))  # beyond any float; beyond what Python writes in digits
REFUSED: list[tuple[str, Any]] = [
    ("when_stale", "maybe"),
    *[("staleness", value) for value in (1, *HUGE, math.inf, -math.inf, math.nan, True, "5", None)],
    *[("key_refetch", value) for value in (0, *HUGE, math.inf, math.nan, True, "60", None)],
    *[("leeway", value) for value in (-1, 61, *HUGE, math.inf, math.nan, True, "30", None)],
    *[("remembered", value) for value in (0, -1, HUGE[2], True, 1.5, math.inf, math.nan, "9", None)],
    *[("issuer", value) for value in ("", (), ["vestibule", None])],
    *[("audience", value) for value in ("", None, ["vestibule"])],
    *[("cookie", value) for value in ("", "a b", "a=b", "a;b", "ä", 5, b"access_token")],
    *[
        ("origins", [value])
        for value in (
            "https://*.example.com",
            "*",
            "null",
            "https://u:p@app.example.com",
            "https://app.example.com/",
            "https://app.example.com/x",
            "https://app.example.com?x",
            "https://app.example.com:0",
            "https://app.example.com:65536",
            "https://app.example.com:x",
            "https://a b",
            "https://",
            "https://[::1",
            "//app.example.com",
            "app.example.com",
            "file://x",
            "data:text",
            "",
            None,
            b"https://app.example.com",
        )
    ],
    *[("origins", value) for value in ("https://app.example.com", None, 5)],
]
TAKEN: list[tuple[str, str]] = [
    ("https://app.example.com", "https://app.example.com"),
    ("HTTPS://APP.example.com", "https://app.example.com"),
    ("https://app.example.com:443", "https://app.example.com"),
    ("http://app.example.com:80", "http://app.example.com"),
    ("https://app.example.com:80", "https://app.example.com:80"),
    ("https://app.example.com:8443", "https://app.example.com:8443"),
    ("https://bücher.example", "https://xn--bcher-kva.example"),
    ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ("http://[::1]:3000", "http://[::1]:3000"),
    ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
    ("capacitor://localhost", "capacitor://localhost"),
]


@by_both
@pytest.mark.parametrize(("name", "value"), REFUSED, ids=lambda given: "huge" if given in HUGE else str(given))
def test_k44_an_argument_that_cannot_be_right_is_refused_by_its_name(
    name: str, value: Any, make: Callable[..., Verifier]
) -> None:
    said = f"^(settings.VESTIBULE: )?{name} |not an origin such as"
    with pytest.raises((ValueError, ImproperlyConfigured), match=said) as wrong:
        make(**ADDRESS, **{name: value})
    assert len(str(wrong.value)) < 200
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize(("name", "value"), [("staleness", 1.9999999), ("leeway", 60.0000001)])
def test_a_number_just_out_of_bounds_is_shown_as_it_is(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{name} is .*, not {value}$"):
        Verifier(**ADDRESS, **{name: value})


@by_both
@pytest.mark.parametrize(("given", "sent"), TAKEN, ids=[given for given, _ in TAKEN])
def test_origins_are_compared_as_browsers_send_them(given: str, sent: str, make: Callable[..., Verifier]) -> None:
    assert make(**ADDRESS, origins=[given]).origins == {sent}


@by_both
def test_what_can_be_right_is_taken(make: Callable[..., Verifier], vestibule: SignedIn) -> None:
    made = make(**AUTH, staleness=2, key_refetch=1, leeway=0, remembered=1, audience="orders")
    assert made.cookie == AUTH["cookie"]
