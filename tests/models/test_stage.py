"""What a model's stages say; tests/training/test_stages.py trains them."""

from emkd_tf.config import from_flat
from emkd_tf.models.sasrec import SASRec
from emkd_tf.models.stage import Stage


def test_most_models_have_one_stage_which_has_no_name():
    config = from_flat({"model": "sasrec"})
    (stage,) = SASRec.stages(config)
    assert stage == Stage(SASRec, config, None, is_validated=True, is_last=True)


def test_the_last_stage_has_the_checkpoints_of_the_run():
    config = from_flat({})
    assert Stage(SASRec, config).folder == "checkpoints"
    assert Stage(SASRec, config, "second").folder == "checkpoints"
    first = Stage(SASRec, config, "first", is_last=False)
    assert first.folder == "checkpoints/first"
