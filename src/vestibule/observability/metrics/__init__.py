"""A process's metrics, for Prometheus, on their own listener. docs/metrics.md explains each."""
