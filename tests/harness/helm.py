"""Run Helm itself, as a library, in another process: its Go runtime does not survive a fork."""

import json
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from typing import Any

import yaml

from tests.docs.paths import ROOT
from tests.harness.servers import NotToBeHad

CHART = ROOT / "deploy" / "helm" / "vestibule"
RELEASE, NAMESPACE = "auth", "accounts"
NEEDED = {"url": "https://auth.example.com", "secretName": "vestibule"}
_SECONDS = 60
_RENDER = """
import json, sys
import helm_python
given = json.load(sys.stdin)
with helm_python.Chart.load(given["chart"]) as chart:
    try:
        chart.validate_schema(given["values"])
        made = chart.render(given["values"], name=given["release"], namespace=given["namespace"])
    except helm_python.HelmError as refused:
        sys.exit(str(refused))
print(json.dumps(made))
"""
_LINT = """
import json, sys
import helm_python
given = json.load(sys.stdin)
print(json.dumps(helm_python.lint(given["chart"], given["values"], namespace=given["namespace"])))
"""


class ChartRefused(Exception):
    """Helm refuses these values. The message is Helm's."""


def lint(**values: object) -> dict[str, Any]:
    """Return the report of `helm lint` on the chart with these values."""
    report: dict[str, Any] = json.loads(_helm(_LINT, NEEDED | values))
    return report


@cache
def _made(values: str) -> dict[str, str]:
    made: dict[str, str] = json.loads(_helm(_RENDER, json.loads(values)))
    return {path.removeprefix("vestibule/templates/"): text for path, text in made.items()}


def templates(**values: object) -> dict[str, str]:
    """Return each file of the chart, filled in; raises `ChartRefused`."""
    return _made(json.dumps(NEEDED | values))


def objects(**values: object) -> dict[str, Any]:
    """Return the objects that the chart makes, by kind; raises `ChartRefused`."""
    texts = [text for path, text in templates(**values).items() if path.endswith(".yaml")]
    made = [found for text in texts for found in yaml.safe_load_all(text) if found]
    by_kind = {found["kind"]: found for found in made}
    assert len(by_kind) == len(made)
    return by_kind


def _helm(script: str, values: dict[str, object]) -> str:
    if find_spec("helm_python") is None:
        raise NotToBeHad("helm: there is no wheel of helm-python-sdk for this platform")
    given = {"chart": str(CHART), "values": values, "release": RELEASE, "namespace": NAMESPACE}
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode != 0:
        raise ChartRefused(done.stderr)
    return done.stdout
