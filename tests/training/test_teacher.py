"""A network that learns from a finished run: its lists, its training, its export."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.cli import main
from emkd_tf.config import from_flat
from emkd_tf.config.flags import as_flags
from emkd_tf.data.histories import left_padded
from emkd_tf.errors import InputError
from emkd_tf.training import run
from emkd_tf.training.interrupts import Interrupts
from emkd_tf.training.run import train
from emkd_tf.training.run_model import open_run
from emkd_tf.training.teacher import make_lists, require_teacher


@pytest.fixture
def student(finished_run, tmp_path):
    """Flat settings of a network that learns from the finished ensemble."""
    same = ("interactions", "cache_dir", "user_core", "item_core", "k")
    settings = {key: str(finished_run[1][key]) for key in same[:2]}
    settings |= {key: finished_run[1][key] for key in same[2:]}
    settings["dataset"] = "tiny"
    return {
        **settings,
        **{"model": "distilled", "distill": str(finished_run[0]), "distill_items": 5},
        **{"num_networks": 1, "distillation": False, "distillation_weight": 1.0},
        **{"hidden_units": 8, "num_blocks": 1, "max_length": 6, "epochs": 3},
        **{"batch_size": 16, "learning_rate": 0.01, "temperature": 1.0},
        **{"runs_dir": str(tmp_path / "runs"), "name": "student"},
        "saved_models_dir": str(tmp_path / "saved_models"),
    }


def test_lists_are_the_best_items_before_each_action(finished_run):
    _, histories, teacher = open_run(finished_run[0])
    lists = make_lists(teacher, histories, 5)
    starts, ends = histories.training_bounds()
    vectors = teacher.item_vectors().numpy()
    for start, end in list(zip(starts, ends, strict=True))[:10]:
        np.testing.assert_array_equal(lists.items[start], 0)
        for place in range(start + 1, end):
            bounds = (np.array([bound]) for bound in (start, place))
            history = left_padded(histories.items, *bounds, place - start)
            user = teacher.user_vectors(tf.constant(history)).numpy()[0]
            scores = vectors @ user
            best = np.argsort(-scores)[:5]
            np.testing.assert_array_equal(lists.items[place], best + 1)
            mean = scores[best] / len(teacher.towers)
            np.testing.assert_allclose(lists.scores[place], mean, rtol=1e-4)
    held_out = np.setdiff1d(
        np.arange(len(histories.items)),
        np.concatenate([np.arange(s, e) for s, e in zip(starts, ends, strict=True)]),
    )
    assert len(held_out)
    np.testing.assert_array_equal(lists.items[held_out], 0)


class InterruptedOnce(Interrupts):
    """A signal comes in the middle of the second epoch."""

    asked = 0

    @property
    def requested(self):
        InterruptedOnce.asked += 1
        return InterruptedOnce.asked == 7

    @requested.setter
    def requested(self, value):
        pass


@pytest.mark.slow
def test_a_training_that_was_stopped_equals_the_undisturbed_one(student, monkeypatch):
    whole = train(from_flat({**student, "export": False}))
    part = from_flat({**student, "export": False, "name": "part"})
    monkeypatch.setattr(run, "Interrupts", InterruptedOnce)
    with pytest.raises(KeyboardInterrupt, match="saved at step"):
        train(part)
    again = train(part)
    for split in ("validation", "test"):
        assert again.metrics[split] == pytest.approx(whole.metrics[split], rel=1e-4)
    _, _, one = open_run(whole.run_dir)
    _, _, other = open_run(again.run_dir)
    pairs = zip(one.trainable_variables, other.trainable_variables, strict=True)
    for weight, same in pairs:
        np.testing.assert_allclose(weight, same, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_a_distilled_network_is_exported_and_told_beside_its_teacher(
    student, finished_run, capsys, tmp_path
):
    # The data is the teacher's, where no other is given.
    of_data = ("dataset", "interactions", "user_core", "item_core")
    own = {key: value for key, value in student.items() if key not in of_data}
    assert main(["train", *as_flags(own)]) == 0
    said = capsys.readouterr().out
    metrics = json.loads((tmp_path / "runs/student/metrics.json").read_text())
    teacher = json.loads((finished_run[0] / "metrics.json").read_text())
    for split in ("validation", "test"):
        one, all_of = (of[split]["NDCG@10"] for of in (metrics, teacher))
        words = f"{split} {one:.4f} of {all_of:.4f} ({one / all_of - 1:+.1%})"
        assert words in said
    assert "NDCG@10 against tiny: " in said
    lines = (tmp_path / "runs/student/history.jsonl").read_text().splitlines()
    assert all(json.loads(line)["loss/teacher"] > 0 for line in lines)
    export = tmp_path / "saved_models" / "student" / "1"
    assert main(["export", f"--verify={export}"]) == 0
    # Serving needs nothing of the teacher.
    answer = tf.saved_model.load(str(export)).signatures["serving_default"](
        history=tf.constant([["item 1", "item 2"]])
    )
    assert answer["item_ids"].shape == (1, 5)
    weights = (next(export.glob("variables/*.data*"))).stat().st_size
    whole = finished_run[1]["saved_models_dir"] / "tiny" / "1"
    assert weights < next(whole.glob("variables/*.data*")).stat().st_size


def test_a_run_that_cannot_teach_is_refused(student, finished_run, tmp_path):
    _, histories, _ = open_run(finished_run[0])
    config = from_flat(student)
    require_teacher(config, histories)
    copy = tmp_path / "copy"
    shutil.copytree(finished_run[0], copy)
    taught = from_flat({**student, "distill": str(copy)})
    (copy / "metrics.json").unlink()
    with pytest.raises(InputError, match="copy is not finished"):
        require_teacher(taught, histories)
    text = (copy / "config.yaml").read_text()
    (copy / "config.yaml").write_text(text.replace("model: emkd", "model: markov"))
    with pytest.raises(InputError, match="cannot be learned from: Markov is counted"):
        require_teacher(taught, histories)
    (copy / "dataset.json").write_text('{"name": "tiny", "fingerprint": "other"}')
    with pytest.raises(InputError, match="was trained on `tiny` other"):
        require_teacher(taught, histories)
    missing = from_flat({**student, "distill": str(tmp_path / "none")})
    with pytest.raises(InputError, match="none is not a run directory"):
        require_teacher(missing, histories)
