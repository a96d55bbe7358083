"""Recommenders: `user_vectors(item_ids) -> [B, D]`, `item_vectors() -> [V, D]`; their
inner product is the score."""
