"""O86: the reports of the doctor on a running server: how often it is examined, and who waits."""

import asyncio
import threading
from datetime import timedelta

import pytest

from tests.harness.clock import ManualClock
from tests.harness.servers import WAIT_SECONDS
from vestibule.model.findings import Finding, Severity, fine
from vestibule.state import health_reports
from vestibule.state.health_reports import KEPT, HealthReports


class Doctor:
    """Counts its examinations; each waits until it may go on."""

    def __init__(self) -> None:
        self.runs = 0
        self.at_once = 0
        self.began, self.may_go_on = threading.Event(), threading.Event()

    def __call__(self) -> list[Finding]:
        self.runs += 1
        self.at_once += 1
        self.began.set()
        assert self.at_once == 1
        assert threading.current_thread() is not threading.main_thread()
        self.may_go_on.wait()
        self.at_once -= 1
        return [fine("database", f"run {self.runs}")]


async def test_o86_many_who_ask_at_once_share_one_run_that_is_kept() -> None:
    doctor, clock = Doctor(), ManualClock()
    reports = HealthReports(doctor, clock)
    assert reports.kept is None
    asked = [asyncio.create_task(reports.latest()) for _ in range(50)]
    await asyncio.sleep(0)
    doctor.may_go_on.set()
    found = {id(report) for report in await asyncio.gather(*asked)}
    assert (len(found), doctor.runs) == (1, 1)
    clock.advance(seconds=(KEPT - timedelta(seconds=1)).total_seconds())
    assert await reports.latest() == reports.kept
    assert doctor.runs == 1
    clock.advance(seconds=2)
    assert reports.kept is None
    report = await reports.latest()
    assert report is not None
    assert ([finding.what for finding in report.findings], report.at) == (["run 2"], clock.now())


async def test_o86_nobody_waits_for_long_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_reports, "WAIT_SECONDS", 0)
    doctor = Doctor()
    reports = HealthReports(doctor, ManualClock())
    assert await reports.latest() is None
    assert await asyncio.to_thread(doctor.began.wait, WAIT_SECONDS), "the run was ended with the wait for it"
    assert [await reports.latest() for _ in range(3)] == [None, None, None]
    doctor.may_go_on.set()
    monkeypatch.setattr(health_reports, "WAIT_SECONDS", 60)
    assert await reports.latest() is not None
    assert doctor.runs == 1


async def test_o86_an_examination_that_fails_is_a_finding() -> None:
    def failing() -> list[Finding]:
        raise ZeroDivisionError("secret")

    report = await HealthReports(failing, ManualClock()).latest()
    assert report is not None
    (finding,) = report.findings
    assert finding.severity is Severity.FAULT
    assert "ZeroDivisionError" in finding.what
