"""The formulas of encoders and objectives made fast: nobody needs to open these modules
to understand a model. Tests hold each to plain TensorFlow or numpy."""
