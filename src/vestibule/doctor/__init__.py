"""The doctor: check settings, database, keys, Redis and mail, and the server from outside. Changes nothing.

Each module checks one thing and returns findings, also of what is fine. None raises for what an operator can correct.
"""
