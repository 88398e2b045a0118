"""The kit for services: decided in memory, kept true in the background, and never more trusting than it says."""
