"""What may be lost: a mirror of live sessions. Redis gone, flushed or rolled back signs nobody out, or in."""
