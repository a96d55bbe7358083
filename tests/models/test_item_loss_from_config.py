"""The item loss of a config, and what its batches carry."""

import pytest

from emkd_tf.config.flat import choices
from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.next_item import NextItem
from emkd_tf.data.examples.rows import Shift
from emkd_tf.data.examples.stream import Stream
from emkd_tf.models.item_loss_from_config import make_item_loss, with_drawn_items
from emkd_tf.models.item_losses import ITEM_LOSSES


def drawn(config, histories, num_views=None):
    """The transforms that draw, and the candidates."""
    rows = Shift(*histories.training_bounds(), 5)
    examples = with_drawn_items(Examples(rows, []), config, histories, num_views)
    return examples.transforms, examples.candidates


def test_the_setting_knows_the_losses_of_the_table():
    assert choices("item_loss") == tuple(ITEM_LOSSES)


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
