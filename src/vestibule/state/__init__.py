"""What one process keeps and guards: remembered tokens and sessions, its keys, the feed, whether it is ready."""
