"""Preparation and lists on Spark: the same results beyond one machine."""
