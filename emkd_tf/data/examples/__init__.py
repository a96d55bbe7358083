"""Training examples: rows cut from histories, their transforms, and their stream."""
