"""Where things are kept: `sql` holds what must not be lost, `redis` and `absent` what may be."""
