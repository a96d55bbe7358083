"""Other systems behind the same recommender contract."""
