"""The first administrator is made by a command, with a password that was drawn by lot and is shown once."""

import re
from pathlib import Path

from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.process import Running, complaint, given_keys, run, serving, text_of
from tests.harness.servers import wait_until

EMAIL = "root@example.com"


def test_g10_an_admin_is_made_by_a_command_and_signs_in_where_proof_is_mandatory(
    backend: Backend, tmp_path: Path
) -> None:
    """G10: two are given different passwords of 128 bits, and nothing else on the machine holds one."""
    settings = {**backend.environment, **given_keys(), "VESTIBULE_EMAIL_VERIFICATION": "mandatory"}
    made = run(tmp_path, "users", "create", "Root@Example.com", "--admin", **settings)
    other = run(tmp_path, "users", "create", "ada@example.com", "--name", "Ada", **settings)
    password = made.stdout.strip()
    assert (made.returncode, other.returncode) == (0, 0), made.stderr + other.stderr
    assert len(bytes.fromhex(password)) == 16
    assert other.stdout.strip() != password
    assert password not in made.stderr
    with serving(tmp_path, **settings) as server, server.browser() as browser:
        answer = browser.post("/api/auth/login", json={"email": EMAIL, "password": password})
        assert answer.status_code == 200, answer.text
        user = browser.get("/api/users/me").json()["data"]["user"]
        told = run(tmp_path, "events", "--json", **settings).stdout + server.output
    assert (user["email"], user["role"], user["name"]) == (EMAIL, "admin", "root")
    assert '"by": "operator"' in told
    assert password not in told


def test_g10_who_is_there_already_is_left_alone(tmp_path: Path) -> None:
    """G10: nobody becomes an administrator by it, and no password is replaced."""
    first = run(tmp_path, "users", "create", EMAIL, **given_keys())
    again = run(tmp_path, "users", "create", EMAIL, "--admin", **given_keys())
    assert (again.returncode, again.stdout) == (1, "")
    assert complaint(again.stderr) == f"there is an account with the email {EMAIL} already"
    with serving(tmp_path, **given_keys()) as server, server.browser() as browser:
        body = {"email": EMAIL, "password": first.stdout.strip()}
        assert browser.post("/api/auth/login", json=body).status_code == 200
        assert browser.get("/api/users/me").json()["data"]["user"]["role"] == "user"


def test_what_is_no_email_is_one_line(tmp_path: Path) -> None:
    refused = run(tmp_path, "users", "create", "root", **given_keys())
    assert refused.returncode == 1
    assert complaint(refused.stderr) == "root is not an email such as ada@example.com"


def link_to_confirm(server: Running) -> str:
    """The path of the link by which an email is changed; empty if none was mailed yet."""
    found = (re.search(r"/confirmemail/[0-9a-f]{64}\b", text_of(letter)) for letter in server.letters)
    return next((path.group() for path in found if path), "")


def test_an_email_that_its_owner_may_still_take_back_is_not_free(tmp_path: Path) -> None:
    password = run(tmp_path, "users", "create", EMAIL, **given_keys()).stdout.strip()
    with serving(tmp_path, **given_keys()) as server, server.browser() as browser:
        assert browser.post("/api/auth/login", json={"email": EMAIL, "password": password}).status_code == 200
        wanted = {"currentPassword": password, "email": "new@example.com"}
        assert browser.patch("/api/users/me/email", json=wanted).status_code == 200
        wait_until(lambda: bool(link_to_confirm(server)), "the letter")
        browser.headers["Origin"] = server.base
        path = link_to_confirm(server)
        assert browser.post(path, data={"csrf": csrf_in(browser.get(path))}).status_code == 303
    refused = run(tmp_path, "users", "create", EMAIL, **given_keys())
    assert (refused.returncode, refused.stdout) == (1, "")
    said = complaint(refused.stderr)
    assert said.startswith(f"an account changed its email from {EMAIL} within the last three days"), said
    assert run(tmp_path, "users", "create", "new@example.com", **given_keys()).returncode == 1
