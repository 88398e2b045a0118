"""Signing keys in use: rotated under load, followed by every process, let go, sealed anew."""
