"""Settings about metrics, traces and logs, and about how long history is kept."""

from typing import ClassVar, Literal

from vestibule.settings.addresses import MetricsAddress
from vestibule.settings.groups.group import Group, setting
from vestibule.settings.types import Switch, Whole


class Watching(Group):
    """Read this when you connect Vestibule to Prometheus, OpenTelemetry or your log store."""

    title: ClassVar[str] = "Monitor it"

    metrics: MetricsAddress = setting(
        "VESTIBULE_METRICS",
        None,
        "Where Prometheus may ask for metrics: a port of 127.0.0.1, or an address and a port. Everybody who reaches "
        "it can read the metrics. Never the port of the API.",
        takes="a port such as `9464`, or an address and a port such as `0.0.0.0:9464` or `[::]:9464`",
        unset="nothing is measured",
    )
    traces: Switch = setting(
        "VESTIBULE_TRACES",
        False,
        "Sends traces of each request to OpenTelemetry. Needs `pip install '.[server,traces]'` in a clone. "
        "`OTEL_EXPORTER_OTLP_ENDPOINT` and OpenTelemetry's other variables say where.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "VESTIBULE_LOG_LEVEL", "info", "Lowest level of the lines that are logged."
    )
    log_addresses: Literal["full", "masked"] = setting(
        "VESTIBULE_LOG_ADDRESSES",
        "full",
        "`masked`: log lines have a client's network (/24, for IPv6 /48) instead of its address, and "
        "`a***@example.com` instead of an email. The table of events keeps both for the account's owner.",
    )


class History(Group):
    """Read this when a rule on privacy says how long data may be kept."""

    title: ClassVar[str] = "Delete old data"

    history_days: Whole = setting(
        "VESTIBULE_HISTORY_DAYS",
        365,
        "Days for which events are kept. Sessions that are over are kept for as long, but at most 90 days; emails that "
        "were sent or refused, at most 30. `0`: events are kept for ever.",
        ge=0,
        le=36500,
    )
    unverified_days: Whole = setting(
        "VESTIBULE_UNVERIFIED_DAYS",
        0,
        "Days after which an account with an unverified email is deleted, unless somebody signed in to it, as "
        "signing up on the page does, it was imported, or it is an administrator's. `0`: never.",
        ge=0,
        le=36500,
    )
