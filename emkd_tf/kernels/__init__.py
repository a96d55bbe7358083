"""Fast versions of the formulas of encoders and objectives. You need not read these
modules to understand a model; tests compare each with plain TensorFlow or numpy."""
