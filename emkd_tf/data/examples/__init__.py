"""Training examples: rows cut from histories, transforms of them, and their stream."""
