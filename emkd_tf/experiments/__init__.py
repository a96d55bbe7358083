"""Grids of trainings and what they show: the paper's tables, or your own."""
