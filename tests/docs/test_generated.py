"""The pages that are made from the code are what the code says now. `make docs` makes them anew."""

from tests.docs.generate import api_page, settings_page, stale
from vestibule.settings import Settings, name_of


def test_generated_pages_are_current() -> None:
    assert stale() == []


def test_every_setting_is_in_a_group_once() -> None:
    page = settings_page()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    names = [line.split("`")[1] for line in rows]
    assert sorted(names) == sorted(name_of(field) for field in Settings.model_fields.values())


def test_every_setting_says_why() -> None:
    unexplained = [name_of(field) for field in Settings.model_fields.values() if not field.description]
    assert unexplained == []


def test_limits_and_defaults_are_shown_as_people_type_them() -> None:
    page = settings_page()
    assert "| `VESTIBULE_REFRESH_ROTATION` | `on` | `on` or `off` |" in page
    assert "| `VESTIBULE_PASSWORD_MIN_LENGTH` | `8` | 8 to 64 |" in page
    assert "| `ORIGIN` | `http://localhost:3000` |" in page
    assert "| `DATABASE_URL` | unset |" in page


def test_the_api_page_has_what_a_sign_in_may_be_told() -> None:
    login = api_page().partition("### POST /api/auth/login\n")[2].partition("\n### ")[0]
    assert "| 400 | `wrong_credentials` | Invalid email or password |" in login
    assert "| 401 | `address_not_verified` | You are not verified, please verify your email to login |" in login
    assert "| 413 | `body_too_large` |" in login
    assert "address_taken" not in login
