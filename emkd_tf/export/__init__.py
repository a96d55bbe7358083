"""SavedModels for TF Serving: raw item ids in and out."""
