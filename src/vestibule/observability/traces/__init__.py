"""Traces for OpenTelemetry: what each request waited for. Needs the extra `traces`; see docs/traces.md."""
