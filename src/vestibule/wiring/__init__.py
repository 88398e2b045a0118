"""Turn settings into a running server or command: the one place that knows every adapter."""
