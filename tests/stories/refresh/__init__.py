"""A refresh never signs out an innocent: the protocol under races, losses and theft, and the limits around it."""
