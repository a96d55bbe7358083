"""What models read from a config alike."""

import numpy as np
import pytest

from emkd_tf.config.encoder_table import ENCODERS
from emkd_tf.encoders.causal import CausalEncoder
from emkd_tf.encoders.gru import GRUEncoder
from emkd_tf.errors import InputError
from emkd_tf.kernels.compute import Compute
from emkd_tf.models.from_config import (
    compute_of,
    make_encoder,
    make_towers,
    network_seeds,
    require_causal,
    training_options,
)
from emkd_tf.training.command_line import read_training


def towers_of(config, histories, use_item_bias=True):
    options = {"mask_query": False, "use_item_bias": use_item_bias}
    return make_towers(config, histories, "causal", **options)


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


def test_sasrec_as_published_has_no_matrix_behind_its_attention():
    config = read_training(
        "t", "", ["--model=sasrec", "--preset=paper"]
    ).settings.config
    encoder = make_encoder(config, "causal", 1)
    assert all(block.attention_output is None for block in encoder.blocks)
    fair = read_training("t", "", ["--model=sasrec", "--preset=fair"]).settings.config
    encoder = make_encoder(fair, "causal", 1)
    assert all(block.attention_output is not None for block in encoder.blocks)


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
