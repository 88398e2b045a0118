"""The protocol for services, as vectors that any implementation can be held to; docs/protocol/ has them."""
