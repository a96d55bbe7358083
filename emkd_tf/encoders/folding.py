"""Looks items up in one precomputed table instead of computing them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import tensorflow as tf


class Folding:
    """Where an embedding looks its items up while an export is traced.

    Not a Keras layer, so that the live model neither tracks nor saves the table.

    Attributes:
        table: [V + 2, d], all rows of the embedding; None if it computes them.
    """

    def __init__(self) -> None:
        self.table: tf.Variable | None = None

    @contextlib.contextmanager
    def into(self, table: tf.Variable) -> Iterator[None]:
        """Inside the block, the embedding's items are the rows of `table`."""
        before, self.table = self.table, table
        try:
            yield
        finally:
            self.table = before
