"""What the admin API answers about health. The OpenAPI document shows these classes with their docstrings."""

from vestibule.model.findings import Finding, Severity
from vestibule.state.health_reports import HealthReport
from vestibule.web.api.answers import Answer, Success, timestamp


class ShownFinding(Answer):
    """The result of one check. If something is not fine, `why` says why that matters, and `remedy` what to do."""

    severity: Severity
    subject: str
    what: str
    why: str
    remedy: str

    @classmethod
    def of(cls, finding: Finding) -> "ShownFinding":
        return cls(
            severity=finding.severity,
            subject=finding.subject,
            what=finding.what,
            why=finding.why,
            remedy=finding.remedy,
        )


class HealthData(Answer):
    examined_at: str | None
    findings: list[ShownFinding]


class Health(Success):
    """What the doctor found, and when."""

    data: HealthData

    @classmethod
    def of(cls, report: HealthReport | None) -> "Health":
        findings = [ShownFinding.of(finding) for finding in report.findings] if report else []
        return cls(data=HealthData(examined_at=timestamp(report.at) if report else None, findings=findings))
