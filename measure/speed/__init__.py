"""Speed: what requests, starts and revocations take. `make bench` writes docs/performance.md."""
