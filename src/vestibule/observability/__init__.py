"""What can be seen of a server from outside: the log, metrics for Prometheus, traces for OpenTelemetry."""
