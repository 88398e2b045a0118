"""A file of tokens: named by text or path, and one sentence for a folder, a damaged file and a place without rights."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from vestibule.client import InFile, NotStoredError, Tokens

TOKENS = Tokens("a.b.c", "d.e.f", 1_800_000_000)
DEEDS: dict[str, Callable[[InFile], object]] = {
    "read": InFile.load,
    "kept": lambda store: store.save(TOKENS),
    "deleted": InFile.clear,
}


def test_a_path_may_be_text(tmp_path: Path) -> None:
    InFile(str(tmp_path / "new" / "session.json")).save(TOKENS)
    assert InFile(tmp_path / "new" / "session.json").load() == TOKENS


@pytest.mark.parametrize("done", DEEDS)
def test_a_folder_in_its_place_is_one_sentence_and_leaves_nothing_behind(done: str, tmp_path: Path) -> None:
    (tmp_path / "session.json").mkdir()
    with pytest.raises(NotStoredError) as told:
        DEEDS[done](InFile(tmp_path / "session.json"))
    assert str(told.value).startswith(f"{tmp_path}/session.json: the tokens cannot be {done}: ")
    assert told.value.reason in {"Is a directory", "Operation not permitted"}
    assert "\n" not in str(told.value)
    assert [path.name for path in tmp_path.iterdir()] == ["session.json"]


@pytest.mark.parametrize("done", ["read", "kept"])
def test_a_file_in_the_place_of_its_folder_is_one_sentence(done: str, tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("")
    with pytest.raises(NotStoredError, match=f"folder/session.json: the tokens cannot be {done}: "):
        DEEDS[done](InFile(tmp_path / "folder" / "session.json"))


DAMAGED = {
    "torn": "{torn",
    "a list": "[]",
    "no moment": '{"access": "a", "refresh": "b", "expires_at": "soon"}',
    "a line's end in a token": '{"access": "a.b.c\\n", "refresh": "d.e.f", "expires_at": 1800000000}',
    "two lines": '{"access": "a.b.c", "refresh": "d.e.f\\r\\nX-A: b", "expires_at": 1800000000}',
    "an empty token": '{"access": "", "refresh": "d.e.f", "expires_at": 1800000000}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_said_once_and_signs_nobody_in(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    store = InFile(tmp_path / "session.json")
    (tmp_path / "session.json").write_text(content)
    assert [store.load() for _ in range(3)] == [None] * 3
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}/session.json holds no tokens, so nobody is signed in by it: delete it, or sign in again"
    ]
    store.save(TOKENS)
    assert store.load() == TOKENS
    (tmp_path / "session.json").write_text(content)
    store.load()
    assert len(caplog.records) == 2


def test_no_file_is_nobody_and_nothing_to_tell(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert InFile(tmp_path / "session.json").load() is None
    InFile(tmp_path / "session.json").clear()
    assert caplog.records == []
