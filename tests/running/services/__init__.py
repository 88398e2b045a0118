"""A service under every server that Python teams run, and in pools of processes."""
