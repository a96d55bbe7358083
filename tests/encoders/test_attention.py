"""Attention against numpy, one query of one sequence at a time."""

import numpy as np
import pytest
import tensorflow as tf
from encoder_contract import IS_ITEM, TOKENS, D
from numpy_layers import attention
from weights import randomized

from emkd_tf.encoders.attention import Attention
from emkd_tf.encoders.layers import Weights
from emkd_tf.kernels.dropout import Dropout
from emkd_tf.kernels.packing import Packing

HEADS = 4


def mixed(layer, is_item, queries, sources, skip_padding=True, last_only=False):
    packing = Packing(tf.constant(is_item), skip_padding=skip_padding)
    queries, sources = (packing.pack(tf.constant(x)) for x in (queries, sources))
    if last_only:
        queries = packing.last(queries)
    found = layer(queries, sources, packing, Dropout(0.0, None), last_only)
    return (found if last_only else packing.unpack(found)).numpy()


@pytest.mark.parametrize("skip_padding", [True, False])
@pytest.mark.parametrize("is_causal", [True, False])
def test_equals_numpy(is_causal, skip_padding):
    layer = Attention(D, HEADS, Weights("block", 1), is_causal, "float32")
    randomized(layer)
    sources = TOKENS[:, ::-1].copy()
    found = mixed(layer, IS_ITEM, TOKENS, sources, skip_padding)
    last = mixed(layer, IS_ITEM, TOKENS, sources, skip_padding, last_only=True)
    np.testing.assert_allclose(last, found[:, -1], rtol=1e-4, atol=1e-5)
    for row, query, source, is_item in zip(
        found, TOKENS, sources, IS_ITEM, strict=True
    ):
        expected = attention(query[is_item], source[is_item], layer, HEADS, is_causal)
        np.testing.assert_allclose(row[is_item], expected, rtol=1e-3, atol=1e-4)
