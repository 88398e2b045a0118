"""The doctor: check settings, database, keys, Redis and mail, and the server from outside. Changes nothing.

Each module checks one thing and returns findings, also about what is fine. It raises nothing for faults that an
operator can correct.
"""
