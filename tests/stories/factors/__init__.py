"""Second factors: what they promise, end to end."""
