"""Traces for OpenTelemetry: what each request waited for. An extra; docs/traces.md."""
