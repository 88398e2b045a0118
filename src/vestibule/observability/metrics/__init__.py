"""Metrics for Prometheus, on a port of their own. docs/metrics.md explains each metric."""
