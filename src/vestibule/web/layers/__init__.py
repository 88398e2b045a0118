"""What every request passes before it is routed: headers, the fast path, the end of a process."""
