"""Transforms do not share their random numbers."""

import pytest
import tensorflow as tf

from emkd_tf.data.examples.augmentations import Augmentations
from emkd_tf.data.examples.cloze import Cloze
from emkd_tf.data.examples.hide import HideItems
from emkd_tf.data.examples.negatives import Negatives
from emkd_tf.data.examples.next_item import NextItem
from emkd_tf.data.examples.segments import Segments
from emkd_tf.data.examples.transform import (
    AUGMENTATIONS,
    CANDIDATES,
    CLOZE,
    HIDDEN,
    NEGATIVES,
    ORDER,
    PARTNERS,
    SEGMENTS,
    Transform,
)


def test_every_use_has_its_number_and_keeps_it():
    """Runs that were begun go on with these."""
    assert (ORDER, CLOZE, CANDIDATES, NEGATIVES) == (0, 1, 2, 3)
    assert (AUGMENTATIONS, PARTNERS, Augmentations.use) == (4, 5, 4)
    assert (HIDDEN, SEGMENTS) == (6, 7)
    assert (Cloze.use, Negatives.use, NextItem.use) == (CLOZE, NEGATIVES, None)
    assert (HideItems.use, Segments.use) == (HIDDEN, SEGMENTS)


def test_a_transform_with_a_use_must_draw():
    class Forgetful(Transform):
        use = 9

        def __call__(self, batch, draws):
            return batch

    with pytest.raises(NotImplementedError, match="Forgetful"):
        Forgetful().draw(tf.constant([1, 2], tf.int64))
