"""What a process measures, told to Prometheus on a listener of its own. docs/metrics.md explains each."""
