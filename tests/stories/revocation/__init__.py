"""A log-out is real, everywhere, at once: the set in memory, the record it follows, and what happens when it cannot."""
