"""Signing out is immediate everywhere: the set in memory, the record it follows, and what happens when it cannot."""
