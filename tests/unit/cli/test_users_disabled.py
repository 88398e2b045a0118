"""Signing an account out, disabling and deleting it by commands beside a running server: its owner is out at once."""

from pathlib import Path

from tests.harness.backends import Backend
from tests.harness.process import complaint, given_keys, register, run, serving, sign_in
from tests.harness.servers import wait_until

EMAIL = "ada@example.com"


def test_a_shut_account_is_signed_out_of_a_running_server(postgresql: Backend, tmp_path: Path) -> None:
    settings = {"DATABASE_URL": postgresql.database_url, **given_keys()}
    with serving(tmp_path, **settings) as server, server.browser() as browser:
        register(browser, EMAIL)
        sign_in(browser, EMAIL)
        assert browser.get("/api/users/me").status_code == 200
        disabled = run(tmp_path, "users", "disable", "Ada@Example.com", **settings)
        assert (disabled.returncode, disabled.stderr) == (0, f"{EMAIL} is disabled; ended sessions: 1.\n")
        wait_until(lambda: browser.get("/api/users/me").status_code == 401, "the refusal")
        assert run(tmp_path, "users", "disable", EMAIL, **settings).stderr == f"{EMAIL} is disabled, as it was.\n"
        assert browser.get("/api/users/me").json()["code"] == "session_account_disabled"
        body = {"email": EMAIL, "password": "correct horse"}
        assert browser.post("/api/auth/login", json=body).json()["code"] == "wrong_credentials"
        assert run(tmp_path, "users", "enable", EMAIL, **settings).stderr == f"{EMAIL} is enabled.\n"
        sign_in(browser, EMAIL)
        assert browser.get("/api/users/me").status_code == 200


def test_an_account_signed_out_by_command_can_sign_in_again(postgresql: Backend, tmp_path: Path) -> None:
    settings = {"DATABASE_URL": postgresql.database_url, **given_keys()}
    with serving(tmp_path, **settings) as server, server.browser() as browser:
        register(browser, EMAIL)
        sign_in(browser, EMAIL)
        done = run(tmp_path, "users", "sign-out", "Ada@Example.com", **settings)
        assert (done.returncode, done.stderr) == (0, f"{EMAIL} is signed out everywhere; ended sessions: 1.\n")
        wait_until(lambda: browser.get("/api/users/me").status_code == 401, "the refusal")
        assert browser.get("/api/users/me").json()["code"] == "session_ended_by_operator"
        sign_in(browser, EMAIL)
        assert browser.get("/api/users/me").status_code == 200


def test_an_email_that_nobody_has_is_one_line(tmp_path: Path) -> None:
    refused = run(tmp_path, "users", "disable", "nobody@example.com", **given_keys())
    assert refused.returncode == 1
    assert complaint(refused.stderr) == "there is no account with the email nobody@example.com"


def test_a_deleted_account_is_gone_once_that_was_meant(tmp_path: Path) -> None:
    with serving(tmp_path, **given_keys()) as server, server.browser() as browser:
        register(browser, EMAIL)
        sign_in(browser, EMAIL)
        assert run(tmp_path, "users", "delete", EMAIL, **given_keys()).returncode == 1
        assert browser.get("/api/users/me").status_code == 200
        gone = run(tmp_path, "users", "delete", EMAIL, "--yes", **given_keys())
        assert (gone.returncode, gone.stderr) == (0, f"{EMAIL} is deleted; ended sessions: 1.\n")
        wait_until(lambda: browser.get("/api/users/me").status_code == 401, "the refusal")
        register(browser, EMAIL)
