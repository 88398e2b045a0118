"""What operators see of a server: the log, metrics for Prometheus, traces for OpenTelemetry."""
