"""Interactions on disk become histories, and in `examples` training batches."""
