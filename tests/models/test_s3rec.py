"""S3-Rec: its stages, and what the second takes from the first."""

import signal
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from trainings import assert_same_outcome, start

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.models.s3rec import S3Rec
from emkd_tf.models.s3rec_pretraining import S3RecPretraining


@pytest.fixture
def settings(tiny_settings):
    tiny_settings.pop("num_views")
    return {
        **{**tiny_settings, "model": "s3rec", "num_networks": 1},
        **{"tie_item_embeddings": True, "distillation": False},
        **{"pretrain_epochs": 2, "pretrain_batch_size": 40},
    }


def test_two_stages_with_epochs_and_batches_of_their_own(settings):
    config = from_flat(settings)
    first, second = S3Rec.stages(config)
    assert (first.model, second.model) == (S3RecPretraining, S3Rec)
    of_first, of_second = (stage.config.training for stage in (first, second))
    assert (of_first.epochs, of_first.batch_size) == (2, 40)
    assert second.config == config
    assert (of_second.epochs, of_second.batch_size) == (2, 32)
    assert (first.is_validated, first.is_last) == (False, False)
    assert (second.is_validated, second.is_last) == (True, True)


def test_without_pretraining_one_stage_is_left(settings):
    (stage,) = S3Rec.stages(from_flat({**settings, "pretrain_epochs": 0}))
    assert (stage.model, stage.name) == (S3Rec, None)


def test_the_same_weights_serve_both_masks(settings, tmp_path):
    """What one stage writes the other reads, whole; the masks stay different."""
    config = from_flat({**settings, "dropout": 0.0})
    histories = prepare(config.data)
    first, second = (
        stage.model.create(config, histories) for stage in S3Rec.stages(config)
    )
    rng = np.random.default_rng(0)
    for weight in first.towers[0].weights:
        weight.assign(weight + rng.normal(size=weight.shape) * 0.3)
    path = tf.train.Checkpoint(towers=first.towers).write(str(tmp_path / "towers"))
    status = tf.train.Checkpoint(towers=second.towers).read(path)
    status.assert_consumed()
    names = [w.name for w in second.trainable_variables]
    assert names == [w.name for w in first.towers[0].trainable_variables]

    item_ids = np.array([[1, 2, 3, 4, 5, 6]], np.int32)
    changed = np.array([[1, 2, 3, 4, 5, 7]], np.int32)
    moved = [
        np.abs(model.towers[0].states(item_ids) - model.towers[0].states(changed))
        for model in (first, second)
    ]
    assert moved[0][0, 0].max() > 1e-4  # the first place knows of the last
    np.testing.assert_allclose(moved[1][0, :5], 0.0, atol=1e-6)
    one = np.array([[0, 0, 0, 0, 0, 3]], np.int32)  # nothing to hide
    np.testing.assert_allclose(
        first.towers[0].states(one), second.towers[0].states(one), atol=1e-6
    )


def kill_at(process, folder, step):
    """Kills a training at a checkpoint of a step or a later one."""
    while process.poll() is None:
        found = [int(p.stem[5:]) for p in (folder / "last").glob("ckpt-*.index")]
        if max(found, default=0) >= step:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=60) == -signal.SIGKILL


@pytest.mark.slow
def test_killed_in_each_stage_equals_undisturbed(settings, tmp_path):
    settings |= {"pretrain_epochs": 4, "epochs": 12, "validation_every": 2}
    settings |= {"checkpoint_steps": 5, "deterministic": True, "export": False}
    log, runs = tmp_path / "log", Path(settings["runs_dir"])
    process = start({**settings, "name": "undisturbed"}, log)
    assert process.wait(timeout=500) == 0, log.read_text()[-2000:]

    disturbed, run = {**settings, "name": "disturbed"}, runs / "disturbed"
    folder = run / "checkpoints"
    kill_at(start(disturbed, log), folder / "pretraining", 10)
    kill_at(start(disturbed, log), folder, 8)
    assert "disturbed, pretraining at step" in log.read_text()
    process = start(disturbed, log)
    assert process.wait(timeout=500) == 0, log.read_text()[-2000:]
    assert "disturbed, finetuning at step" in log.read_text()
    assert_same_outcome(run, runs / "undisturbed")
