"""Store data: `sql` holds what must not be lost, `redis` what may be. `absent` stands in where there is no Redis."""
