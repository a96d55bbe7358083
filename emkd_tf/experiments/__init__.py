"""Grids of trainings and what they show: the paper's tables, or one's own."""
