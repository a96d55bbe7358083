"""The interface of transforms of examples, and who uses which random numbers."""

from __future__ import annotations

import abc
from typing import ClassVar

import tensorflow as tf

# Independent streams of random numbers that share one user seed, by their use.
ORDER, CLOZE, CANDIDATES, NEGATIVES = range(4)
AUGMENTATIONS, PARTNERS, HIDDEN, SEGMENTS = range(4, 8)


class Transform(abc.ABC):
    """Adds to a batch what is hidden, drawn or paired.

    Drawing and transforming are separate so that what happens to an example depends
    only on (seed, pass, example, use), not on its batch or on who computes it.

    Attributes:
        use: of its random numbers; None for a transform that draws nothing, whose draws
            are ().
    """

    use: ClassVar[int | None] = None

    def draw(self, seed: tf.Tensor) -> tf.Tensor:
        """Draws the random numbers of one example.

        Args:
            seed: [2] int64; equal seeds give equal numbers.

        Returns:
            A tensor of one shape for all examples.
        """
        raise NotImplementedError(f"{type(self).__name__} has a use but draws nothing")

    @abc.abstractmethod
    def __call__(
        self, batch: dict[str, tf.Tensor], draws: tf.Tensor | tuple[()]
    ) -> dict[str, tf.Tensor]:
        """Returns the batch with additions or changes.

        Args:
            batch: of B examples, at least "item_ids" [B, L] int32, left-padded.
            draws: [B, ...] from `draw`.
        """

    def on_device(self) -> Transform:
        """Returns a transform that does the same without calling the host."""
        return self
