"""Speed: how long requests, starts and revocations take, and their CPU. `make bench` writes docs/performance.md."""
