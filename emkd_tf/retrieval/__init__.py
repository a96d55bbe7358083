"""Top-k lists from item vectors."""
