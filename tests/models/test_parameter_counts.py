"""Counts of weights against the paper's table 5, in millions.

What its figures count: EMKD and SASRec their encoders with the embeddings of items and
positions; BERT4Rec beside these an output table of its own with a bias for each item,
but no head between (66,304 weights at d = 256, which would make .07 more). Sequences
are as long as each model's authors have them. MovieLens has 3,416 items for SASRec and
3,706 for the other two.
"""

from types import SimpleNamespace

import pytest

from emkd_tf.config import from_flat
from emkd_tf.models.from_config import make_towers

BEAUTY, TOYS, MOVIES, ALL_MOVIES = 12_101, 11_924, 3_416, 3_706


def counts(num_items, max_length, encoder, num_blocks=2, num_networks=1, **options):
    """The weights of the encoders with their embeddings, and all, in millions."""
    config = from_flat(
        {
            "max_length": max_length,
            "num_blocks": num_blocks,
            "num_networks": num_networks,
            "hidden_units": 256,
            "tie_item_embeddings": not options,
        }
    )
    histories = SimpleNamespace(num_items=num_items)
    towers = make_towers(config, histories, encoder, **options)
    encoders = [w for tower in towers for w in tower.encoder_variables]
    everything = [w for tower in towers for w in tower.trainable_variables]
    return [
        sum(w.shape.num_elements() for w in x) / 1e6 for x in (encoders, everything)
    ]


@pytest.mark.parametrize(
    ("num_items", "max_length", "twice", "thrice"),
    [
        (BEAUTY, 15, "9.36", "14.05"),
        (TOYS, 20, "9.28", "13.91"),
        (ALL_MOVIES, 40, "5.08", "7.62"),
    ],
)
def test_emkd(num_items, max_length, twice, thrice):
    for num_networks, expected in ((2, twice), (3, thrice)):
        found, _ = counts(
            num_items, max_length, "bidirectional", num_networks=num_networks
        )
        assert f"{found:.2f}" == expected


@pytest.mark.parametrize("num_blocks", [2, 4, 6, 8, 10])
@pytest.mark.parametrize(
    ("num_items", "max_length", "of_two_blocks"),
    [(BEAUTY, 50, 4.69), (TOYS, 50, 4.65), (MOVIES, 200, 2.51)],
)
def test_sasrec(num_items, max_length, of_two_blocks, num_blocks):
    """A feed-forward network 4 d wide, as in most public libraries."""
    found, everything = counts(num_items, max_length, "causal_post_norm", num_blocks)
    expected = of_two_blocks + 1.58 * (num_blocks - 2) / 2
    assert found == everything
    # The sum of rounded figures; two blocks alone are met as they are printed.
    assert abs(found - expected) < (0.005 if num_blocks == 2 else 0.0075)


@pytest.mark.parametrize(
    ("num_items", "max_length", "expected"),
    [(BEAUTY, 50, "7.80"), (TOYS, 50, "7.71"), (ALL_MOVIES, 200, "3.53")],
)
def test_bert4rec(num_items, max_length, expected):
    _, found = counts(num_items, max_length, "post_norm", use_item_bias=True)
    assert f"{found:.2f}" == expected
    # BERT's head, a dense layer and its norm, which the table does not count.
    _, ours = counts(num_items, max_length, "post_norm", use_item_bias=True, head=True)
    assert round(1e6 * (ours - found)) == 256 * 257 + 2 * 256
