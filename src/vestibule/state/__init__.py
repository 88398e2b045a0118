"""What one process keeps in memory: known tokens and sessions, revocations, its keys, the feed, whether it is ready;
and how many password hashes it computes at once.
"""
