"""The dashboard and the alerts ask for metrics, labels and values that exist, and for nothing else."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

from tests.docs.paths import ROOT
from vestibule.cli.commands import build
from vestibule.model.events import EventKind
from vestibule.model.outbox import Delivery
from vestibule.observability.metrics import meters

DASHBOARD = ROOT / "deploy" / "grafana" / "vestibule.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
VALUES = {
    "kind": {kind.value for kind in EventKind},
    "outcome": {delivery.value for delivery in Delivery} | {"done", "failed"},
    "pool": {"hashing", "signing"},
    "result": {"hit", "miss"},
    "heard": {"wake_up", "poll"},
    "status": {"429", "500", "503"},
    "job": {"vestibule"},
}
METERS = {m.describe()[0].name: m for m in vars(meters).values() if isinstance(m, MetricWrapperBase)}


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


EXPRESSIONS = [*(rule["expr"] for rule in rules()), *(t["expr"] for panel in panels() for t in panel["targets"])]


def meter_of(sample: str) -> MetricWrapperBase:
    """Whose sample that is; fails if nobody's."""
    name = re.sub(r"_(total|bucket|count|sum)$", "", sample)
    meter = METERS[name]
    suffix = sample.removeprefix(name)
    allowed = {Counter: {"_total"}, Histogram: {"_bucket", "_count", "_sum"}}.get(type(meter), {""})
    assert suffix in allowed, sample
    return meter


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_it_asks_for_what_there_is(expression: str) -> None:
    samples = re.findall(r"\bvestibule_\w+", re.sub(r'"[^"]*"', '""', expression))
    assert samples
    labels = {label for sample in samples for label in meter_of(sample)._labelnames} | {"le", "instance", "job", "what"}
    for label, value in re.findall(r'(\w+)="([^"]*)"', expression):
        assert label in labels
        assert value in VALUES[label]
    for by in re.findall(r"by \(([^)]*)\)", expression):
        assert set(by.split(", ")) <= labels


def test_every_panel_and_alert_can_be_understood() -> None:
    assert len({panel["title"] for panel in panels()}) == len(panels())
    for rule in rules():
        assert rule["annotations"].keys() >= {"summary", "description"}
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_the_commands_that_alerts_name_are_there() -> None:
    group = build()
    known = {str(c.name or c.callback.__name__) for c in group.registered_commands if c.callback} | {
        str(g.name) for g in group.registered_groups
    }
    named = set(re.findall(r"vestibule ([a-z]+)", " ".join(rule["annotations"]["description"] for rule in rules())))
    assert named <= known
    assert named


def test_prometheus_itself_takes_the_alerts() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("NOT TESTED: promtool: not found; apt-get install prometheus")
    done = subprocess.run([promtool, "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
