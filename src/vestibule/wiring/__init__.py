"""Where settings become a running server or command: the one place that knows every rim."""
