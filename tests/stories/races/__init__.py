"""Races, on PostgreSQL: however many ask at once, one wins, and nobody who lost rightly is hurt."""
