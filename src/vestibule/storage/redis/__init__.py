"""What may be lost: a replica of live sessions. Redis gone, flushed or rolled back signs nobody out, or in."""
