"""Traces, told to OpenTelemetry: what each request waited for. An extra; docs/traces.md."""
