"""Make `docs/metrics.md` from the meters themselves."""

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from tests.docs.paths import DOCS
from tools.docs.tables import MADE
from vestibule.observability.metrics import meters

PAGE = DOCS / "metrics.md"
_KINDS = {Counter: "counter", Gauge: "gauge", Histogram: "histogram"}
_INTRODUCTION = """
Vestibule tells [Prometheus](https://prometheus.io) what it measures on a port of its own: `VESTIBULE_METRICS`, a port
of 127.0.0.1, or an address and a port. Unset, nothing is measured and nothing listens. It is never served on the API's
port.

```sh
VESTIBULE_METRICS=9464 vestibule serve --workers 2
curl -s localhost:9464/metrics
```

All workers of a machine share the port, and any of them reports for all: they write into one folder that `vestibule
serve` makes and removes. A server that is started otherwise (`granian`, `uvicorn`) tells of its own process, unless
`PROMETHEUS_MULTIPROC_DIR` names such a folder. With many machines, each is a target.

No label has an email, a name, an id or a path as it was asked: routes are told as the URL map has them, and what it
does not have is `unmatched`. Times are in seconds.
"""
_REMARKS = """
## What to look at

[deploy/grafana/vestibule.json](../deploy/grafana/vestibule.json) is a dashboard to import, and
[deploy/prometheus/alerts.yml](../deploy/prometheus/alerts.yml) has alerts, each with what to do. The tests hold both to
the metrics that there are.

* **Is somebody guessing?** `rate(vestibule_events_total{kind="sign_in_refused"}[5m])`.
* **How many wait for a hash?** `vestibule_pool_pending{pool="hashing"}`; on the average, a hash waited
  `rate(vestibule_pool_wait_seconds_total[5m]) / rate(vestibule_pool_calls_total[5m])`.
* **Is a log-out known everywhere?** `vestibule_revocation_lag_seconds` by `heard`: `wake_up` where another told,
  `poll` where it was found a second later at the most. It is the difference of two machines' clocks.
* **Does mail leave?** `vestibule_letters_oldest_age_seconds`.
* **Who meets a limit?** `rate(vestibule_limits_reached_total[5m])`: where honest people do, raise the setting.
* **Are there connections left?** `vestibule_database_connections_in_use` beside `vestibule_database_connections_limit`.
* **How many were turned away?** `vestibule_http_request_duration_seconds_count` with `status="429"` or `"503"`.

What it costs, while it is on: 12 to 16 µs of CPU for each request, where `me` takes about 130 with the loading client's
connection kept open. Off, nothing. [performance.md](performance.md) has what a request takes.
"""


def metrics_page() -> str:
    """Return `docs/metrics.md`."""
    rows = [_row(meter) for meter in vars(meters).values() if isinstance(meter, MetricWrapperBase)]
    table = ["| metric | kind | labels | what it is |", "|---|---|---|---|", *rows]
    return "\n\n".join(["# Metrics", MADE, _INTRODUCTION.strip(), "\n".join(table), _REMARKS.strip()]) + "\n"


def _row(meter: MetricWrapperBase) -> str:
    (family,) = meter.describe()
    name = f"{family.name}_total" if isinstance(meter, Counter) else family.name
    labels = ", ".join(f"`{label}`" for label in meter._labelnames)
    return f"| `{name}` | {_KINDS[type(meter)]} | {labels} | {family.documentation} |"
