"""Slices: the loop asks Linux for short ones, hashes for its own; and where that is not to be had, nothing breaks."""

import ctypes
import os
import platform
import struct
import sys
import threading

import pytest

from tests.conftest import not_to_be_had
from vestibule.process import priority

GETATTR = {"x86_64": 315, "aarch64": 275}


def slice_of_this_thread() -> int:
    """In nanoseconds, as the kernel has it (sched_getattr(2))."""
    room = ctypes.create_string_buffer(56)
    assert ctypes.CDLL(None).syscall(GETATTR[platform.machine()], 0, room, 56, 0) == 0
    return int(struct.unpack_from("=IIQiIQ", room.raw)[5])


def in_a_thread(*calls: object) -> None:
    def work() -> None:
        for call in calls:
            call()  # type: ignore[operator]

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@pytest.fixture
def since_6_12() -> None:
    release = tuple(int(part) for part in platform.release().split(".")[:2]) if sys.platform == "linux" else (0, 0)
    if release < (6, 12) or platform.machine() not in GETATTR:
        not_to_be_had(RuntimeError("slices can be asked for on Linux since 6.12"))


@pytest.mark.usefixtures("since_6_12")
def test_short_slices_are_for_the_loop_and_those_it_starts_but_for_hashes() -> None:
    seen: dict[str, int] = {}

    def note(name: str) -> object:
        return lambda: seen.__setitem__(name, slice_of_this_thread())

    def loop() -> None:
        note("before")()  # type: ignore[operator]
        priority.shorten_time_slices()
        note("loop")()  # type: ignore[operator]
        in_a_thread(note("started"))
        in_a_thread(priority.lower_priority, note("hash"))

    in_a_thread(loop)
    assert seen["loop"] == seen["started"] == 100_000
    assert seen["hash"] == seen["before"] > 100_000


def test_where_it_is_not_understood_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priority, "_SCHED_SETATTR", 9_999)  # no such call
    in_a_thread(priority.shorten_time_slices)
    monkeypatch.setattr(priority, "_SCHED_SETATTR", None)  # no such machine
    in_a_thread(priority.shorten_time_slices)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")
def test_another_policy_of_the_operators_stays() -> None:
    seen: list[int] = []

    def batch() -> None:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        priority.shorten_time_slices()
        seen.append(os.sched_getscheduler(0))

    in_a_thread(batch)
    assert seen == [os.SCHED_BATCH]
