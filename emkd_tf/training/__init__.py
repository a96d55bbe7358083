"""From a config to a run directory with a trained and evaluated model."""
