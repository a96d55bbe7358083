"""Preparation and recommendation lists on Spark: the same results on many machines."""
