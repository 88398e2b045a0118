"""The settings: all of them with their reasons, how they are read, and which must not be combined."""
