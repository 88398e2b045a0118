"""What one process keeps and guards: remembered tokens and sessions, the feed to services, whether it is ready."""
