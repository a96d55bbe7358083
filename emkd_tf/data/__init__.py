"""From interactions on disk to histories, and in `examples` to training batches."""
