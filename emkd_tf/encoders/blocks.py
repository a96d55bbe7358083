"""What all transformer encoders share: a stack of identical blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from emkd_tf.encoders.layers import Weights
from emkd_tf.kernels.dropout import Dropout
from emkd_tf.kernels.packing import Packing, clear


class BlockEncoder(tf.keras.layers.Layer):
    """Passes tokens through the blocks of a transformer.

    Args:
        block: builds one from d, the heads, its `Weights`, the precision and `options`.
        options: of the encoder's blocks, by name.
        hidden_units: d.
        num_blocks, num_heads: of the transformer.
        seed: of the initial weights; networks with different seeds start differently.
        initialization: of the matrices, one of INITIALIZERS.
        precision: of the products with weights.

    Call:
        tokens: [T, d] float; packing: of their places in [B, L]; dropout.
        last_only: compute only the last column's states; it must hold no padding.
        Returns [T, d] float, zero at spare rows; with `last_only` [B, d].
    """

    KNOWS_ORDER, NORMS_EMBEDDING = False, False

    def __init__(
        self,
        block: Callable[..., tf.keras.layers.Layer],
        options: dict[str, Any],
        *,
        hidden_units: int,
        num_blocks: int,
        num_heads: int,
        seed: int,
        initialization: str = "normal",
        precision: str = "float32",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.hidden_units = hidden_units
        self._config = {
            "hidden_units": hidden_units,
            "num_blocks": num_blocks,
            "num_heads": num_heads,
            "seed": seed,
            "initialization": initialization,
            "precision": precision,
            **options,
        }
        self.blocks = [
            block(
                hidden_units,
                num_heads,
                Weights(f"block_{index}", seed, initialization),
                precision=precision,
                **options,
            )
            for index in range(num_blocks)
        ]

    def call(
        self,
        tokens: tf.Tensor,
        packing: Packing,
        dropout: Dropout,
        last_only: bool = False,
    ) -> tf.Tensor:
        states = self.through_blocks(tokens, packing, dropout, last_only)
        return states if last_only else clear(states, packing.is_row)

    def through_blocks(
        self, tokens: tf.Tensor, packing: Packing, dropout: Dropout, last_only: bool
    ) -> tf.Tensor:
        """Returns the states of the last block, meaningless at spare rows."""
        for block in self.blocks:
            # Only in the last block are the other columns never read.
            is_last = last_only and block is self.blocks[-1]
            tokens = block(tokens, packing, dropout, last_only=is_last)
        return tokens

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._config}
