"""Define every metric. Names and units follow Prometheus's advice. Labels have few values, and never a secret, an email
or a name.

`vestibule serve` sets `PROMETHEUS_MULTIPROC_DIR`: its processes write into that folder, and each of them reports the
sum. Import this module only in such a process, because prometheus-client reads the variable when it is first imported.
"""

from prometheus_client import Counter, Gauge, Histogram

# In seconds. The default buckets of prometheus-client begin at 5 ms; an answer from memory takes less.
_DURATION_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Histogram(
    "vestibule_http_request_duration_seconds",
    "Time until the answer began, by method, route and status.",
    ["method", "route", "status"],
    buckets=_DURATION_BUCKETS,
)
BACKGROUND = Histogram(
    "vestibule_background_duration_seconds",
    "Duration of one run of a background job, by flow and outcome.",
    ["flow", "outcome"],
    buckets=_DURATION_BUCKETS,
)
EVENTS = Counter("vestibule_events", "Events recorded in the table `events`, by kind.", ["kind"])
LIMITS_REACHED = Counter(
    "vestibule_limits_reached",
    "Requests that were refused because their network had made too many, by limit.",
    ["limit"],
)

POOL_CALLS = Counter("vestibule_pool_calls", "Hashes and signatures begun, by thread pool.", ["pool"])
POOL_WAITED = Counter(
    "vestibule_pool_wait_seconds", "Total time that hashes and signatures waited for a thread.", ["pool"]
)
POOL_REFUSED = Counter("vestibule_pool_refused", "Hashes and signatures refused because too many waited.", ["pool"])
POOL_PENDING = Gauge(
    "vestibule_pool_pending", "Hashes and signatures that wait or run now.", ["pool"], multiprocess_mode="livesum"
)

LOOKUPS = Counter(
    "vestibule_memory_lookups", "Access tokens looked up in memory: a hit needed no database.", ["result"]
)

REVOCATION_LAG = Histogram(
    "vestibule_revocation_lag_seconds",
    "Time from a revocation, by the clock of the machine that made it, until this process knew, by how it "
    "heard: by `wake_up` or `poll`.",
    ["heard"],
    buckets=_DURATION_BUCKETS,
)
REVOCATIONS = Gauge("vestibule_revocations", "Revocations held in memory.", multiprocess_mode="livemax")
STALENESS = Gauge(
    "vestibule_revocations_staleness_seconds",
    "Time since the stalest process last knew every revocation. Beyond VESTIBULE_REVOCATION_STALENESS_SECONDS that "
    "process asks the database on each request.",
    multiprocess_mode="livemax",
)
FOLLOWERS = Gauge("vestibule_feed_followers", "Services that follow the feed now.", multiprocess_mode="livesum")

LETTERS = Counter("vestibule_letters", "Emails taken from the outbox, by outcome.", ["outcome"])
LETTERS_WAITING = Gauge(
    "vestibule_letters_waiting", "Emails in the outbox that are still to be sent.", multiprocess_mode="mostrecent"
)
LETTERS_REFUSED = Gauge(
    "vestibule_letters_refused", "Emails in the outbox that were refused for good.", multiprocess_mode="mostrecent"
)
OLDEST_LETTER = Gauge(
    "vestibule_letters_oldest_age_seconds",
    "Age of the oldest email that is still to be sent; 0 without one.",
    multiprocess_mode="mostrecent",
)

CONNECTIONS = Gauge(
    "vestibule_database_connections_in_use", "Connections to the database in use now.", multiprocess_mode="livesum"
)
CONNECTIONS_LIMIT = Gauge(
    "vestibule_database_connections_limit",
    "Highest possible number of connections to the database.",
    multiprocess_mode="livesum",
)
LOG_DROPPED = Counter("vestibule_log_lines_dropped", "Log lines dropped because they could not be written.")
BUILD = Gauge("vestibule_build_info", "1, by version.", ["version"], multiprocess_mode="mostrecent")
