"""From interactions on disk to batches of masked sequences."""
