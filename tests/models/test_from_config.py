"""What models read from a config alike."""

import numpy as np
import pytest

from emkd_tf.config import from_flat
from emkd_tf.config.encoder_table import ENCODERS
from emkd_tf.data.examples.next_item import NextItem
from emkd_tf.data.examples.rows import Shift
from emkd_tf.data.examples.stream import Examples, Stream
from emkd_tf.data.prepare import prepare
from emkd_tf.encoders.causal import CausalEncoder
from emkd_tf.encoders.gru import GRUEncoder
from emkd_tf.errors import InputError
from emkd_tf.kernels.compute import Compute
from emkd_tf.models.from_config import (
    compute_of,
    make_item_loss,
    make_towers,
    network_seeds,
    require_causal,
    training_options,
    with_drawn_items,
)
from emkd_tf.models.item_losses import ITEM_LOSSES


@pytest.fixture
def histories(tiny_settings):
    return prepare(from_flat(tiny_settings).data)


@pytest.fixture
def config_of(tiny_settings):
    return lambda **changes: from_flat({**tiny_settings, **changes})


def towers_of(config, histories, use_item_bias=True):
    options = {"mask_query": False, "use_item_bias": use_item_bias}
    return make_towers(config, histories, "causal", **options)


def drawn(config, histories, num_views=None):
    """The transforms that draw, and the candidates."""
    rows = Shift(*histories.training_bounds(), 5)
    examples = with_drawn_items(Examples(rows, []), config, histories, num_views)
    return examples.transforms, examples.candidates


def test_seeds_differ_and_repeat():
    seeds = network_seeds(7, 4)
    assert len(set(seeds)) == 4
    assert network_seeds(7, 4) == seeds
    assert not set(network_seeds(8, 4)) & set(seeds)


def test_towers_are_of_the_settings(config_of, histories):
    changes = {"hidden_units": 12, "num_blocks": 3, "num_heads": 3, "max_length": 5}
    config = config_of(**changes, num_networks=2, tie_item_embeddings=True)
    towers = towers_of(config, histories, use_item_bias=False)
    assert [tower.name for tower in towers] == ["network_1", "network_2"]
    for tower in towers:
        assert isinstance(tower.encoder, CausalEncoder)
        assert len(tower.encoder.blocks) == 3
        assert tower.width == 12
        assert tower.max_length == tower.history_length == 5
        assert tower.item_table().shape == [histories.num_items + 1, 12]
        assert tower.item_weights is None
        assert tower.item_bias is None
        assert not tower.embedding.scale
    changes = {"tie_item_embeddings": False, "scale_embeddings": True}
    (tower, _) = towers_of(config_of(**changes), histories)
    assert tower.item_weights is not None
    assert tower.embedding.scale
    assert tower.item_bias is not None


def test_towers_start_different_and_as_the_seed_says(config_of, histories):
    def tables(seed):
        towers = towers_of(config_of(seed=seed), histories)
        return [tower.embedding.items.numpy() for tower in towers]

    first, second = tables(1)
    assert np.abs(first - second).max() > 1e-3
    np.testing.assert_array_equal(tables(1), [first, second])
    assert np.abs(tables(2)[0] - first).max() > 1e-3


@pytest.mark.parametrize("name", ITEM_LOSSES)
def test_a_batch_carries_what_the_item_loss_wants(config_of, histories, name):
    config = config_of(item_loss=name, num_negatives=3, num_sampled=11, max_length=5)
    carries = ITEM_LOSSES[name].CARRIES
    negatives, candidates = drawn(config, histories)
    assert (len(negatives), candidates is not None) == {
        None: (0, False),
        "negatives": (1, False),
        "candidates": (0, True),
    }[carries]
    if negatives:
        assert negatives[0].draw([0, 0]).shape == [5, 3]
        (of_views,), _ = drawn(config, histories, num_views=2)
        assert of_views.draw([0, 0]).shape == [2, 5, 3]
        assert of_views.num_items == histories.num_items
    if candidates is not None:
        found = candidates.draw([0, 0])["candidates"].numpy()
        assert found.shape == (11,)
        assert 1 <= found.min() <= found.max() <= histories.num_items


@pytest.mark.parametrize("name", ["bce", "bpr"])
def test_the_negatives_of_a_decision_are_items_that_the_user_never_chose(
    config_of, histories, name
):
    """Not those in the row alone: rows of two items are shorter than the histories."""
    config = config_of(item_loss=name, num_negatives=50, max_length=2)
    rows = Shift(*histories.training_bounds(), 2)
    plain = Examples(rows, [NextItem()], with_users=True)
    examples = with_drawn_items(plain, config, histories)
    stream = Stream(histories.items, examples, batch_size=16, num_steps=20, seed=0)
    starts, ends = histories.training_bounds()
    missing = set(range(1, histories.num_items + 1))
    for batch in stream.batches().as_numpy_iterator():
        assert "training_items" not in batch  # of no fixed shape
        for user, negatives in zip(batch["users"], batch["negatives"], strict=True):
            chosen = set(histories.items[starts[user] : ends[user]].tolist())
            assert not chosen & set(negatives.ravel().tolist())
            missing -= set(negatives.ravel().tolist())
    assert not missing  # items held out for the test are drawn, too


def test_negatives_of_a_softmax_may_be_items_that_the_user_chose(config_of, histories):
    ((negatives,), _) = drawn(config_of(item_loss="gbce"), histories)
    assert negatives.outside == "label"


@pytest.mark.parametrize("name", ITEM_LOSSES)
def test_the_item_loss_is_of_the_settings(config_of, histories, name):
    changes = {"item_loss": name, "num_sampled": 11, "temperature": 0.7}
    changes["distillation_weight"] = 0.2
    loss = make_item_loss(config_of(**changes), histories)
    assert type(loss) is ITEM_LOSSES[name]
    assert (loss.temperature, loss.distillation_weight) == (0.7, 0.2)
    alone = make_item_loss(config_of(**changes, distillation=False), histories)
    assert alone.distillation_weight is None


def test_candidates_stand_for_more_items_than_they_are(config_of, histories):
    for num_sampled, name in [(-1, "sampled"), (0, "full")]:
        num_sampled += histories.num_items
        config = config_of(item_loss="sampled", num_sampled=num_sampled)
        assert type(make_item_loss(config, histories)) is ITEM_LOSSES[name]
        _, candidates = drawn(config, histories)
        assert (candidates is None) == (name == "full")


def test_how_to_compute_and_to_train(config_of):
    config = config_of(
        **{"precision": "bfloat16", "jit_compile": True, "fuse": True},
        **{"seed": 5, "on_nonfinite": "skip", "l2": 0.1},
    )
    compute = compute_of(config)
    assert compute == Compute("bfloat16", static_shapes=True, fuse=True)
    options = {"seed": 5, "compute": compute, "skip_nonfinite": True, "l2": 0.1}
    assert training_options(config) == options
    assert training_options(config_of())["skip_nonfinite"] is False


def test_an_encoder_that_looks_ahead_is_refused_in_one_line(config_of):
    require_causal(config_of(encoder="ligr,gru"))
    require_causal(config_of())
    with pytest.raises(InputError, match="`encoder` post_norm sees the items"):
        require_causal(config_of(encoder="causal,post_norm"))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_an_encoder_gets_the_settings_of_its_entry_and_the_norm_it_asks_for(
    config_of, histories, encoder
):
    config = config_of(encoder=encoder, initialization="xavier", window=4, num_heads=4)
    (tower, _) = towers_of(config, histories)
    found = tower.encoder.get_config()
    for key in ENCODERS[encoder].reads:
        assert found[key] == getattr(config.model, key)
    is_normed = tower.embedding.norm is not None
    assert is_normed == (encoder in ("post_norm", "causal_post_norm", "causal_relu"))


def test_initialization_is_the_parts_own_unless_given(config_of, histories):
    for given, of_table in ((None, 0.02), ("xavier", (2 / 58) ** 0.5)):
        config = config_of(encoder="gru", initialization=given, hidden_units=16)
        tower = towers_of(config, histories)[0]
        assert isinstance(tower.encoder, GRUEncoder)
        assert tower.encoder.get_config()["initialization"] == "xavier"
        deviation = tower.embedding.items.numpy().std()
        np.testing.assert_allclose(deviation, of_table, rtol=0.15)
