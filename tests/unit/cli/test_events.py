"""`vestibule events` beside a server that runs: a table for people, JSON for programs, and each as it happens."""

import json
import subprocess
from pathlib import Path

from tests.harness.process import PROGRAM, Running, complaint, environment, given_keys, register, run, serving, sign_in
from tests.harness.servers import wait_until

ADA, BOB = "ada@example.com", "bob@example.com"


def told(server: Running, *wanted: str) -> list[str]:
    """The kinds of what the command says for programs."""
    said = run(server.folder, "events", "--json", *wanted, **given_keys())
    assert said.returncode == 0, said.stderr
    return [json.loads(line)["kind"] for line in said.stdout.splitlines()]


def test_they_are_shown_found_and_followed(tmp_path: Path) -> None:
    with serving(tmp_path, **given_keys()) as server, server.browser() as browser:
        register(browser, ADA)
        register(browser, BOB)
        sign_in(browser, ADA)
        assert told(server) == ["registered", "registered", "signed_in"]
        assert told(server, "--of", "Ada@Example.com") == ["registered", "signed_in"]
        assert told(server, "--kind", "registered", "-n", "1") == ["registered"]
        assert told(server, "--hours", "1", "--network", "192.0.2.1") == []
        table = run(tmp_path, "events", **given_keys()).stdout
        assert [word for word in ("when (UTC)", "signed_in", "127.0.0.1", ADA, BOB) if word not in table] == []
        read = [json.loads(line) for line in run(tmp_path, "events", "--json", **given_keys()).stdout.splitlines()]
        assert [event["email"] for event in read] == [ADA, BOB, ADA]
        assert "Account created by signing up" in run(tmp_path, "events", "--long", **given_keys()).stdout
        with (tmp_path / "followed").open("w+") as output:
            # One at a time, and not the newest alone: all of them end in the same second.
            command = [*PROGRAM, "events", "--follow", "--json", "--kind", "session_ended", "-n", "1"]
            following = subprocess.Popen(
                command, cwd=tmp_path, env=environment(tmp_path, given_keys()), stdout=output, stderr=output
            )
            try:
                wait_until(lambda: "No event yet" in (tmp_path / "followed").read_text(), "its first look")
                for _ in range(5):  # the first sign-in ends the session that the browser had
                    sign_in(browser, ADA)
                    assert browser.get("/api/auth/logout").status_code == 200
                wait_until(lambda: (tmp_path / "followed").read_text().count("signed_out") == 6, "the events")
            finally:
                following.kill()
                following.wait()


UNDERSTOOD = [("127.0.0.1/32", True), (" 127.0.0.1", True), ("::ffff:127.0.0.1", True), ("::1/128", False)]
NOT_UNDERSTOOD = [
    *(
        ("--network", each)
        for each in ("hello", "127.0.0.0/8", "127.0.0.1/", "127.0.0.1/33", "::1/32", "localhost", "")
    ),
    *(("--hours", each) for each in ("0", "-1", "nan", "inf", "1e300", "0.0")),
    *(("--limit", each) for each in ("0", "-1")),
]


def test_c36_a_filter_that_finds_nothing_by_mistake_is_refused(tmp_path: Path) -> None:
    """C36: and one that means an address finds what is from it."""
    with serving(tmp_path, **given_keys()) as server, server.browser() as browser:
        register(browser, ADA)
        for typed, found in UNDERSTOOD:
            assert bool(told(server, "--network", typed, "--hours", "0.5")) is found
    for option, typed in NOT_UNDERSTOOD:
        refused = run(tmp_path, "events", f"{option}={typed}", **given_keys())
        assert (refused.returncode, refused.stdout) == (2, ""), (option, typed)
        assert option in complaint(refused.stderr)


def test_an_email_that_nobody_has_is_one_line(tmp_path: Path) -> None:
    refused = run(tmp_path, "events", "--of", "nobody@example.com", **given_keys())
    assert refused.returncode == 1
    assert complaint(refused.stderr) == "there is no account with the email nobody@example.com"
    assert run(tmp_path, "events", "--of", "", **given_keys()).returncode == 1, "an unset variable names nobody"
