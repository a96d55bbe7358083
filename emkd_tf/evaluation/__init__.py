"""Full-catalogue ranking of held-out items, under named protocols."""
