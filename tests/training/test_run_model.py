"""What members keep of their runs, and what runs without networks lack."""

import pytest

from emkd_tf.config import from_flat
from emkd_tf.errors import InputError
from emkd_tf.training.run_model import keep_members, require_ensemble


def test_members_are_in_order_and_hold_what_opening_needs(tmp_path):
    runs = [tmp_path / "one" / "run", tmp_path / "two" / "run"]
    for run in runs:
        (run / "checkpoints" / "best").mkdir(parents=True)
        (run / "checkpoints" / "last").mkdir()
        (run / "config.yaml").write_text(f"{run}\n")
        (run / "checkpoints" / "best" / "ckpt-1.index").write_text("x")
        (run / "per_user.parquet").write_text("x")
    (tmp_path / "sum").mkdir()
    keep_members(runs, tmp_path / "sum")
    members = sorted((tmp_path / "sum" / "members").iterdir())
    assert [path.name for path in members] == ["01-run", "02-run"]
    for member, run in zip(members, runs, strict=True):
        assert (member / "config.yaml").read_text() == f"{run}\n"
        assert (member / "checkpoints" / "best" / "ckpt-1.index").exists()
        assert not (member / "checkpoints" / "last").exists()
        assert not (member / "per_user.parquet").exists()


def test_what_a_counted_model_lacks_is_said():
    config = from_flat({"model": "markov"})
    with pytest.raises(InputError, match="Markov is counted, not trained: no v"):
        require_ensemble(object(), config, "no vectors")
