"""Lists by Spark, held against those of this process."""

import numpy as np
import polars as pl
import pytest

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.retrieval.batch import own_histories, write_recommendations
from emkd_tf.retrieval.recommend import VectorRecommender
from emkd_tf.spark import recommend
from emkd_tf.spark.recommend import write_lists
from emkd_tf.training.setup import build_model

pytestmark = pytest.mark.slow


@pytest.fixture
def model_and_histories(tiny_settings):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    return build_model(config, histories).ensemble, histories


def as_table(folder):
    parts = sorted(folder.glob("*.parquet"))
    assert len(parts) > 1
    return pl.read_parquet(parts)


def assert_same(table, expected):
    """Scores of two programs differ by rounding, and so do the ranks of near ties."""
    assert table.columns == expected.columns
    assert table["user"].equals(expected["user"])
    assert table["rank"].equals(expected["rank"])
    np.testing.assert_allclose(table["score"], expected["score"], rtol=1e-4, atol=1e-5)
    assert (table["item"] == expected["item"]).mean() > 0.99


def test_all_users_and_a_file_of_histories(
    spark, model_and_histories, tmp_path, monkeypatch
):
    ensemble, histories = model_and_histories
    monkeypatch.setattr(recommend, "_PART_ROWS", 20)
    names = histories.item_ids()
    rows = {
        "user": ["new", "nobody", "new", *(f"u{n}" for n in range(30))],
        "history": [names[:2], ["?"], names[:37], *([names[n]] for n in range(30))],
    }
    for source in (None, pl.LazyFrame(rows)):
        output, other = tmp_path / "lists.parquet", tmp_path / "local.parquet"
        summary = write_lists(spark, ensemble, histories, source, output, 5, "unseen")
        frame = own_histories(histories) if source is None else source
        recommender = VectorRecommender(ensemble, histories)
        assert summary == write_recommendations(recommender, frame, other, 5)
        assert_same(as_table(output), pl.read_parquet(other))
    # The second one took the place of the first, and nothing else was left.
    assert {p.name for p in tmp_path.glob("*lists*")} == {"lists.parquet"}


def test_a_failure_leaves_the_old_lists(spark, model_and_histories, tmp_path):
    ensemble, histories = model_and_histories
    output = tmp_path / "lists.parquet"
    output.mkdir()
    (output / "old").touch()
    path = tmp_path / "broken.csv"
    path.write_text("user,history\n" + "a,b\n" * 9 + "a,b,c,d\n")
    source = pl.scan_csv(path)
    with pytest.raises(InputError, match="cannot be read to their end"):
        write_lists(spark, ensemble, histories, source, output, 5, "unseen")
    assert [p.name for p in output.iterdir()] == ["old"]
    assert not list(tmp_path.glob(".lists*"))
    with pytest.raises(InputError, match=r"must end in .parquet"):
        write_lists(
            spark, ensemble, histories, None, tmp_path / "lists.csv", 5, "unseen"
        )
