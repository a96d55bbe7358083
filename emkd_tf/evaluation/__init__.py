"""Full-catalogue, leave-one-out ranking under named protocols."""
