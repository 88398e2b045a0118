"""`vestibule users import FILE`: duplicates in the file and here, a trial, and sources that exclude each other."""

from pathlib import Path

import pytest

from tests.harness.process import complaint, given_keys, run
from tests.harness.world import World
from tests.unit.cli.test_users import HASH, OURS, rows

HEAD = "id,email,verified,createdAt,password,disabled\n"


def person(row_id: str, email: str, verified: str = "true", since: str = "2024-01-01", disabled: str = "") -> str:
    return f"{row_id},{email},{verified},{since},{HASH},{disabled}\n"


async def test_i3_of_one_email_one_row_is_imported_and_the_others_are_named_by_their_lines(
    racing_world: World, tmp_path: Path
) -> None:
    """I3: the verified one, or else the older, wherever it stands; and nobody who is here already changes."""
    here = {"DATABASE_URL": racing_world.backend.database_url, **given_keys()}
    await racing_world.register("here@example.com")
    people = [
        person("unverified", "twin@example.com", "false", "2001-01-01"),
        person("younger", "Twin@Example.com", since="2023-01-01"),
        person("verified", "TWIN@example.com", since="2022-01-01"),
        person("same", "one@example.com"),
        person("same", "other@example.com"),
        person("late", "here@example.com", "false"),
        person("off", "off@example.com", disabled="true"),
    ]
    (tmp_path / "people.csv").write_text(HEAD + "".join(people))
    before = await rows(here["DATABASE_URL"], OURS)
    dry = run(tmp_path, "users", "import", "people.csv", "--dry-run", **here)
    assert await rows(here["DATABASE_URL"], OURS) == before
    done = run(tmp_path, "users", "import", "people.csv", **here)
    for output, verb in ((dry.stderr, "Would import"), (done.stderr, "Imported")):
        assert "Left out line 2: its email is also that of line 4, which is verified, or older" in output
        assert "Left out line 3: its email is also that of line 4, which is verified, or older" in output
        assert "Left out line 6: a row before it has the same id" in output
        assert "Left out line 7: its email is that of " in output
        assert f"{verb} 3 accounts; 0 were here already." in output
        assert "By kind of hash: bcrypt 3." in output
        assert "Left out 4, each named above." in output
        assert "Reading" in output
        assert "7/7" in output
    assert (dry.returncode, done.returncode) == (1, 1)
    assert {row[0] for row in await rows(here["DATABASE_URL"], OURS)} == {before[0][0], "verified", "same", "off"}
    (disabled,) = await rows(here["DATABASE_URL"], "SELECT id FROM accounts WHERE disabled_at IS NOT NULL")
    assert disabled == ("off",)
    again = run(tmp_path, "users", "import", "people.csv", **here)
    assert "Imported 0 accounts; 3 were here already." in again.stderr


# Words of a command line, and what is said of them.
USAGE = {
    "two sources": (["people.csv", "--from", "sqlite:///x"], "FILE and --from name two sources; give one of them"),
    "a format of nothing": (["--format", "csv"], "--format, --verified and --hash-config go with FILE"),
    "another format": (["people.csv", "--format", "xml"], "give one of csv, django, fastapi-users, auth0, keycloak"),
    "no file": (["people.csv"], "people.csv cannot be read: No such file or directory"),
}


@pytest.mark.parametrize(("words", "said"), USAGE.values(), ids=USAGE)
def test_a_wrong_command_line_has_its_sentence(tmp_path: Path, words: list[str], said: str) -> None:
    refused = run(tmp_path, "users", "import", *words, **given_keys())
    assert refused.returncode == 2
    assert said in complaint(refused.stderr.splitlines()[-1])
    assert "Traceback" not in refused.stderr
