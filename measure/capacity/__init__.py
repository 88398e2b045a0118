"""Capacity: what a request costs as a PostgreSQL database grows. `make capacity` writes docs/capacity.md."""
