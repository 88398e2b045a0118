"""The doctor: each thing that it finds, provoked once on the real thing."""

from vestibule.model.findings import Finding, Severity

FINE, HINT, WARNING, FAULT = Severity.FINE, Severity.HINT, Severity.WARNING, Severity.FAULT


def severity_of(found: list[Finding], words: str) -> Severity | None:
    """How bad the one finding is that says these words; None if there is none. What is not fine has a remedy."""
    fitting = [finding for finding in found if words in finding.what]
    assert len(fitting) < 2, fitting
    if not fitting:
        return None
    assert fitting[0].severity is FINE or (fitting[0].why and fitting[0].remedy), fitting
    return fitting[0].severity
