"""The set of revocations in a process's memory: what it refuses, how long, and when it may be relied on."""

from datetime import UTC, datetime, timedelta

from vestibule.model.accounts import Role
from vestibule.model.revocations import OVERLAP_SECONDS, Revocation, RevocationKind
from vestibule.protocol.access_tokens import AccessToken
from vestibule.state.revocation_set import RevocationSet

NOW = datetime(2026, 11, 23, 12, 0, 0, 700_000, tzinfo=UTC)
MEMORY = timedelta(minutes=16)


def of_session(sequence: int, subject: str = "s1") -> Revocation:
    return Revocation(NOW, RevocationKind.SESSION, subject, NOW + MEMORY, sequence=sequence)


def of_account(sequence: int, subject: str = "a1", kind: RevocationKind = RevocationKind.ACCOUNT) -> Revocation:
    return Revocation(NOW, kind, subject, NOW + MEMORY, not_before=NOW, sequence=sequence)


def token(session: str = "s1", account: str = "a1", issued_at: datetime = NOW) -> AccessToken:
    issued = issued_at.replace(microsecond=0)
    return AccessToken("j", account, session, Role.USER, int(issued.timestamp()), int(issued.timestamp()) + 900)


def learnt(*backlog: Revocation) -> RevocationSet:
    kept = RevocationSet(staleness_seconds=5)
    kept.add(list(backlog), sent_at=100.0)
    kept.renew(100.0)
    return kept


def test_it_refuses_a_revoked_session_and_no_other() -> None:
    kept = learnt(of_session(1, "s1"))
    assert kept.refuses(token("s1"))
    assert not kept.refuses(token("s2"))


def test_an_account_s_mark_refuses_what_was_issued_before_it() -> None:
    kept = learnt(of_account(1))
    assert kept.refuses(token("any", issued_at=NOW - timedelta(seconds=1)))
    assert not kept.refuses(token("any", account="a2", issued_at=NOW - timedelta(seconds=1)))


def test_a_sign_in_later_in_the_same_second_is_not_refused() -> None:
    assert not learnt(of_account(1)).refuses(token("new", issued_at=NOW + timedelta(milliseconds=100)))


def test_an_older_mark_does_not_move_a_newer_one_back() -> None:
    older = Revocation(NOW, RevocationKind.ACCOUNT, "a1", NOW + MEMORY, NOW - timedelta(hours=1), sequence=2)
    kept = learnt(of_account(1), older)
    assert kept.refuses(token("any", issued_at=NOW - timedelta(seconds=1)))


def test_a_changed_account_is_announced_and_refuses_nothing() -> None:
    kept = learnt(of_account(1, kind=RevocationKind.ACCOUNT_CHANGED))
    assert not kept.refuses(token(issued_at=NOW - timedelta(hours=1)))
    assert kept.generation == 1


def test_what_was_learnt_is_news_once() -> None:
    kept = learnt(of_session(1))
    assert kept.add([of_session(1), of_session(2, "s2")], sent_at=101.0) == [of_session(2, "s2")]


def test_trust_ends_with_the_staleness_and_counts_from_the_sending() -> None:
    kept = learnt()
    assert kept.trusted(105.0)
    assert not kept.trusted(105.001)


def test_it_trusts_nothing_before_the_first_whole_read() -> None:
    kept = RevocationSet(staleness_seconds=5)
    assert not kept.trusted(0.0)
    kept.add([of_session(1)], sent_at=0.0)
    assert not kept.trusted(0.0)


def test_a_late_answer_to_an_earlier_read_does_not_move_trust_back() -> None:
    kept = learnt()
    kept.renew(99.0)
    assert kept.age(100.0) == 0.0


def test_a_number_committed_late_is_within_the_next_whole_read() -> None:
    kept = learnt(of_session(8, "s8"))
    assert kept.floor < 7
    kept.add([of_session(7, "s7"), of_session(8, "s8")], sent_at=101.0)
    assert kept.refuses(token("s7"))


def test_the_floor_follows_an_overlap_behind() -> None:
    kept = learnt(of_session(8))
    kept.renew(100.0 + OVERLAP_SECONDS)
    assert kept.floor == 0
    kept.renew(100.1 + OVERLAP_SECONDS)
    assert kept.floor == 8


def test_a_quick_read_begins_after_the_last_number_seen() -> None:
    assert learnt(of_session(3), of_session(9, "s9")).last == 9


def test_it_forgets_when_no_token_can_live_and_not_before() -> None:
    kept = learnt(of_session(1), of_account(2))
    kept.purge(100.0 + MEMORY.total_seconds() - 1)
    assert len(kept) == 2
    kept.purge(100.0 + MEMORY.total_seconds())
    assert len(kept) == 2, "a second time within a minute"
    kept.purge(100.0 + MEMORY.total_seconds() + 59)
    assert len(kept) == 0
