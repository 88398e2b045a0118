"""Flows that no single request shows whole."""
