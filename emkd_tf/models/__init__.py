"""Recommenders: `user_vectors(item_ids) -> [B, D]`, `item_vectors() -> [V, D]`, and
their inner product is the score."""
