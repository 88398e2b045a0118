"""Pages: the flows with a face of their own, rendered here, complete without a script."""
