"""Implementations for a process without Redis: no session replica, no wake-ups."""
