"""The operations that an export may use: TensorFlow's own, of every recent release."""

ALLOWED_OPS = frozenset()
