"""One SQL text for SQLite and PostgreSQL, in SQLAlchemy Core; one file for each port of `model`."""
