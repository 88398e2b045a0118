"""Growing: behind a pooler, from a backup, and from one version to the next."""
