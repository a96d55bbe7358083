"""A training of two stages, disturbed in each of them and between them."""

import contextlib
import dataclasses
import io
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import NonFiniteLossError
from emkd_tf.models.sasrec import SASRec
from emkd_tf.models.stage import Stage
from emkd_tf.training import stages
from emkd_tf.training.run_dir import RunDir

FIRST, SECOND = "warming", "settling"
FIRST_STEPS, SECOND_STEPS = 3 * 3, 4 * 5  # epochs times steps of an epoch


class Wider(SASRec):
    """Has a head that the next stage has not."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.heads = [tf.keras.layers.Dense(2)]
        self.heads[0].build([None, 8])


class TwoStages(SASRec):
    @classmethod
    def stages(cls, config):
        training = dataclasses.replace(config.training, epochs=3, batch_size=20)
        first = dataclasses.replace(config, training=training)
        return [
            Stage(Wider, first, FIRST, is_validated=False, is_last=False),
            Stage(cls, config, SECOND),
        ]


class Killed(Exception):
    """Stands for the end of a process: nothing is saved after it."""


class Interrupts:
    """Asked once a step; raises or asks to stop at the n-th time."""

    def __init__(self, at=None, kills=True):
        self._left, self._kills = at, kills

    @contextlib.contextmanager
    def deferred(self):
        yield

    @property
    def requested(self):
        if self._left is None:
            return False
        self._left -= 1
        if self._left == 0 and self._kills:
            raise Killed
        return self._left == 0


@pytest.fixture(scope="module")
def setting(tiny_base, tiny_log, tmp_path_factory):
    """Trains `TwoStages` in a folder."""
    settings = {
        **tiny_base,
        **{"model": "sasrec", "num_networks": 1, "distillation": False},
        **{"epochs": 4, "batch_size": 12, "checkpoint_steps": 4},
        "validation_every": 2,
        "interactions": str(tiny_log),
        "cache_dir": str(tmp_path_factory.mktemp("cache")),
    }
    config = from_flat(settings)
    histories = prepare(config.data)

    def run(path, interrupts=None, is_resumed=False):
        path.mkdir(exist_ok=True)
        out = io.StringIO()
        trainer = stages.train_stages(
            config,
            histories,
            tf.distribute.OneDeviceStrategy("CPU:0"),
            RunDir(path, is_resumed),
            Console(file=out, width=200),
            interrupts or Interrupts(),
        )
        return trainer, out.getvalue()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stages, "stages_of", TwoStages.stages)
        yield run


def history_of(path):
    lines = [json.loads(line) for line in (path / "history.jsonl").open()]
    for line in lines:
        line.pop("examples_per_second")
        line.pop("processor_seconds")
    return lines


def assert_same(path, trainer, expected_path, expected):
    for line, other in zip(history_of(path), history_of(expected_path), strict=True):
        assert line.keys() == other.keys()
        assert line.pop("stage") == other.pop("stage")
        assert line == pytest.approx(other, rel=1e-5)
    for weight, other in zip(
        trainer.model.variables, expected.model.variables, strict=True
    ):
        np.testing.assert_allclose(weight, other, rtol=1e-4, atol=1e-6)


@pytest.fixture(scope="module")
def undisturbed(setting, tmp_path_factory):
    path = tmp_path_factory.mktemp("undisturbed")
    trainer, said = setting(path)
    return path, trainer, said


def test_the_history_and_the_folders_name_the_stages(undisturbed):
    path, trainer, said = undisturbed
    lines = history_of(path)
    assert [(x["stage"], x["epoch"], x["step"]) for x in lines] == [
        *((FIRST, epoch, 3 * epoch) for epoch in (1, 2, 3)),
        *((SECOND, epoch, 5 * epoch) for epoch in (1, 2, 3, 4)),
    ]
    validated = [x["epoch"] for x in lines if "validation/NDCG@10" in x]
    assert validated == [2, 4]  # of the second stage alone
    folder = path / "checkpoints"
    assert {p.name for p in folder.iterdir()} == {"best", "last", FIRST}
    assert {p.name for p in (folder / FIRST).iterdir()} == {"best", "last"}
    assert (folder / FIRST / "best" / "ckpt-3.index").exists()
    assert (folder / FIRST / "last" / f"ckpt-{FIRST_STEPS}.index").exists()
    assert (folder / "last" / f"ckpt-{SECOND_STEPS}.index").exists()
    assert {p.name for p in (path / "logs").iterdir()} == {FIRST, SECOND}
    assert f"{FIRST} epoch 3/3" in said
    assert f"{SECOND} epoch 4/4" in said
    assert trainer.model.heads == []


def test_the_second_stage_starts_from_the_first_ones_weights(
    undisturbed, setting, tmp_path, monkeypatch
):
    seen = []
    monkeypatch.setattr(
        stages.Trainer,
        "fit",
        lambda self, interrupts: seen.append(
            (self._stage.name, [w.numpy() for w in self.model.towers[0].weights])
        ),
    )
    path = tmp_path / "first"
    shutil.copytree(undisturbed[0], path)
    for kind in ("best", "last"):
        shutil.rmtree(path / "checkpoints" / kind)
    trainer, _ = setting(path, is_resumed=True)
    ((first, learned), (second, taken)) = seen
    assert (first, second) == (FIRST, SECOND)
    for one, other in zip(learned, taken, strict=True):
        np.testing.assert_array_equal(one, other)
    assert trainer.checkpoints.step == 0
    assert trainer.progress.seconds.numpy() > 0  # those of the first stage


@pytest.mark.slow
@pytest.mark.parametrize(
    "at",
    [
        7,  # in the first stage
        FIRST_STEPS,  # its last step is done, but not saved
        FIRST_STEPS + 3,  # in the second, which has no checkpoint yet
        FIRST_STEPS + 17,  # an epoch beyond its last validation
    ],
)
def test_a_training_that_was_killed_goes_on_as_if_nothing_had_been(
    undisturbed, setting, tmp_path, at
):
    path = tmp_path / "killed"
    with pytest.raises(Killed):
        setting(path, Interrupts(at))
    trainer, said = setting(path, is_resumed=True)
    assert_same(path, trainer, *undisturbed[:2])
    if at <= FIRST_STEPS:
        step = 4 if at == 7 else 8
        assert f"Continuing {path}, {FIRST} at step {step}" in said
    elif at == FIRST_STEPS + 17:
        assert f"Continuing {path}, {SECOND} at step 14" in said
        assert FIRST not in said  # it is not even built


@pytest.mark.slow
def test_killed_between_the_stages(undisturbed, setting, tmp_path, monkeypatch):
    def die(self, before):
        raise Killed

    path = tmp_path / "between"
    with monkeypatch.context() as patched:
        patched.setattr(stages.Trainer, "start_from", die)
        with pytest.raises(Killed):
            setting(path)
    trainer, said = setting(path, is_resumed=True)
    assert f"{FIRST} at step {FIRST_STEPS}" in said
    assert "epoch 3/3" not in said
    assert_same(path, trainer, *undisturbed[:2])


@pytest.mark.slow
@pytest.mark.parametrize("at", [FIRST_STEPS, FIRST_STEPS + 6])
def test_an_interrupt_saves_in_any_stage(undisturbed, setting, tmp_path, at):
    path = tmp_path / "interrupted"
    step = at if at <= FIRST_STEPS else at - FIRST_STEPS
    with pytest.raises(KeyboardInterrupt, match=f"saved at step {step};"):
        setting(path, Interrupts(at, kills=False))
    trainer, said = setting(path, is_resumed=True)
    assert f"at step {step}" in said
    assert_same(path, trainer, *undisturbed[:2])


def test_the_good_state_of_a_loss_that_is_not_finite_is_its_own_stages(
    setting, tmp_path, monkeypatch
):
    whole = Wider.compute_losses

    def compute_losses(self, batch, dropout_seed=None):
        losses = whole(self, batch, dropout_seed)
        factor = tf.where(self.optimizer.iterations >= 5, np.nan, 1.0)
        return {name: factor * value for name, value in losses.items()}

    monkeypatch.setattr(Wider, "compute_losses", compute_losses)
    with pytest.raises(NonFiniteLossError, match=f"checkpoints/{FIRST}/last/ckpt-4"):
        setting(tmp_path / "spoiled")
