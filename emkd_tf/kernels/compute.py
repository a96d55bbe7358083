"""How a model computes what its formulas say; no choice here changes the formulas."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Compute:
    """Choices that trade accuracy in the last digits, memory and start-up for speed.

    Attributes:
        precision: of matrix products with weights, "float32" or "bfloat16".
        static_shapes: give every tensor a static shape, as XLA needs; padding is then
            computed instead of skipped.
        fuse: compile the element-wise formulas between products, see `fusion`.
    """

    precision: str = "float32"
    static_shapes: bool = False
    fuse: bool = False


PLAIN = Compute()
