"""VESTIBULE_PASSKEY_DOMAIN: which passkeys are made and accepted, and what is said where there are none."""

import pytest

from tests.harness.process import complaint
from tests.unit.cli.conftest import Refusal
from vestibule.crypto.relying_party import RelyingParty
from vestibule.doctor import browsers
from vestibule.model.findings import Severity
from vestibule.settings import reading
from vestibule.settings.to_policy import to_policy

DOMAIN, URL, ORIGIN = "VESTIBULE_PASSKEY_DOMAIN", "VESTIBULE_URL", "ORIGIN"
NAMED = "https://auth.example.com"
PRODUCTION = {"NODE_ENV": "production", URL: NAMED}


def party(nowhere: pytest.MonkeyPatch, **given: str) -> RelyingParty | None:
    for name, value in given.items():
        nowhere.setenv(name, value)
    return to_policy(reading.read()).relying_party


@pytest.mark.parametrize(
    ("given", "domain", "origins"),
    [
        ({}, "localhost", ("http://localhost:8000", "http://localhost:3000")),
        ({"PORT": "9000", ORIGIN: "http://localhost:9000"}, "localhost", ("http://localhost:9000",)),
        (
            {"VESTIBULE_PRODUCT_NAME": "Acme", URL: "http://localhost:8000"},
            "localhost",
            ("http://localhost:8000", "http://localhost:3000"),
        ),
        (PRODUCTION, "auth.example.com", (NAMED,)),
        ({**PRODUCTION, ORIGIN: "https://app.example.com"}, "auth.example.com", (NAMED,)),
        (
            {**PRODUCTION, ORIGIN: "https://app.auth.example.com"},
            "auth.example.com",
            (NAMED, "https://app.auth.example.com"),
        ),
        (
            {
                **PRODUCTION,
                ORIGIN: "https://app.example.com,https://example.org,capacitor://localhost",
                DOMAIN: "Example.com",
            },
            "example.com",
            (NAMED, "https://app.example.com"),
        ),
    ],
)
def test_passkeys_are_made_for_the_domain_and_taken_from_its_origins(
    given: dict[str, str], domain: str, origins: tuple[str, ...], nowhere: pytest.MonkeyPatch
) -> None:
    assert party(nowhere, **given) == RelyingParty(domain, given.get("VESTIBULE_PRODUCT_NAME", "Vestibule"), origins)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1 is an IP address"),
        ("http://[::1]:8000", "::1 is an IP address"),
        ("https://192.0.2.1", "192.0.2.1 is an IP address"),
        ("http://auth.example.com", "over https only"),
    ],
)
def test_f18_where_there_can_be_no_passkeys_the_server_starts_and_the_doctor_says_why(
    url: str, why: str, nowhere: pytest.MonkeyPatch
) -> None:
    assert party(nowhere, **{URL: url}) is None
    told = [each for each in browsers.check(reading.read()) if "passkeys" in each.what]
    assert [each.severity for each in told] == [Severity.HINT]
    assert why in told[0].what


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({DOMAIN: "127.0.0.1"}, "'127.0.0.1' is an IP address, and browsers make passkeys for names only"),
        ({DOMAIN: "[::1]"}, "'[::1]' is an IP address"),
        ({DOMAIN: "https://example.com"}, "'https://example.com' is not a host name"),
        ({**PRODUCTION, DOMAIN: "example.org"}, "is example.org, which browsers refuse on auth.example.com"),
        ({**PRODUCTION, DOMAIN: "com"}, "is com, which browsers refuse on auth.example.com"),
        ({**PRODUCTION, DOMAIN: "app.auth.example.com"}, "name auth.example.com or a domain above it"),
        ({URL: "http://127.0.0.1:8000", DOMAIN: "localhost"}, "and there are no passkeys for IP addresses"),
    ],
)
def test_f18_a_domain_that_no_browser_takes_is_refused_in_a_sentence(
    given: dict[str, str], said: str, refusal: Refusal
) -> None:
    line = complaint(refusal(**given))
    assert line.startswith(f"{DOMAIN}: ")
    assert said in line


def test_the_doctor_says_which_front_end_cannot_ask_for_passkeys(nowhere: pytest.MonkeyPatch) -> None:
    party(nowhere, **PRODUCTION, **{ORIGIN: "https://app.example.com"})
    told = [each for each in browsers.check(reading.read()) if "passkeys" in each.what]
    assert [each.remedy.partition(",")[0] for each in told] == [f"{DOMAIN}=example.com"]
    nowhere.setenv(DOMAIN, "example.com")
    assert [each for each in browsers.check(reading.read()) if "passkeys" in each.what] == []
