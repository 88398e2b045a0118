"""The doctor: check settings, database, keys, Redis and mail, or a running server from outside. Changes nothing.

Each module checks one thing and returns findings, also about what is fine. A module raises nothing for faults that an
operator can correct. `vestibule doctor` (`cli/doctor.py`) calls `examination`, which runs them all.
"""
