"""Terms of the training loss as pure functions of tensors: no weights, models or
config."""
