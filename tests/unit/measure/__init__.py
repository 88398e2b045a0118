"""What `make bench` computes from its figures, and what it writes."""
