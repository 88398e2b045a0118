"""Each format: what is kept of a user, by the form that its program documents."""

from pathlib import Path

import pytest

from tests.unit.storage.exports.reading import judged, rows_of
from tests.unit.storage.exports.users_of_formats import FILES, Kept, given
from vestibule.crypto.passwords import Argon2id, Hasher
from vestibule.model.accounts import Account
from vestibule.model.imports import ExportFormat


@pytest.mark.parametrize("named", [False, True], ids=["recognised", "named"])
@pytest.mark.parametrize(("content", "format_", "kept"), FILES.values(), ids=FILES)
def test_a_user_of_each_format_is_kept_with_everything(
    tmp_path: Path, content: str, format_: ExportFormat, kept: Kept, named: bool
) -> None:
    (tmp_path / "users").write_text(content)
    [account] = judged(rows_of(tmp_path / "users", format_ if named else None, given(tmp_path)), admins=True).values()
    assert isinstance(account, Account), account
    assert (
        Kept(
            account.id,
            account.name,
            account.email,
            account.verified,
            account.role,
            account.created_at,
            kept.password,
            account.provider,
            account.disabled_at is not None,
        )
        == kept
    )
    hasher = Hasher(Argon2id(memory_kib=64, iterations=1))
    if kept.password is None:
        assert account.password_hash is None
    else:
        assert hasher.matches(kept.password, account.password_hash or "")
        assert not hasher.matches("wrong horse", account.password_hash or "")
