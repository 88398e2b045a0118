"""What services behind Vestibule are given: keys, the feed of revocations, introspection."""
