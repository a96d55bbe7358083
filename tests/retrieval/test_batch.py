"""Recommendations from file to file."""

import numpy as np
import polars as pl
import pytest

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.data.shuffled import in_random_order
from emkd_tf.errors import InputError
from emkd_tf.retrieval import batch
from emkd_tf.retrieval.batch import own_histories, write_recommendations
from emkd_tf.retrieval.recommend import VectorRecommender
from emkd_tf.training.setup import build_model


@pytest.fixture
def recommender_and_histories(tiny_settings):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    model = build_model(config, histories)
    return VectorRecommender(model.ensemble, histories), histories


def frame_of(users, histories):
    rows = {"user": users, "history": histories}
    return pl.LazyFrame(rows, schema=batch.HISTORY_COLUMNS)


@pytest.mark.parametrize("name", ["lists.csv", "lists.parquet"])
def test_every_history_gets_the_list_of_the_live_model(
    name, recommender_and_histories, tmp_path, monkeypatch
):
    monkeypatch.setattr(batch, "_MAX_ROWS", 4)
    recommender, histories = recommender_and_histories
    names = histories.item_ids()
    users = [f"new, {number}" for number in range(11)]
    lists = [[names[number], names[2 * number]] for number in range(9)]
    lists += [["never sold"], names[:38]]
    done = []
    output = tmp_path / name
    summary = write_recommendations(
        recommender, frame_of(users, lists), output, 5, done.append
    )
    assert summary == batch.Summary(histories=11, popular=1, unknown_items=1, short=1)
    assert done == [4, 4, 3]
    read = pl.read_csv if name.endswith("csv") else pl.read_parquet
    table = read(output)
    assert table.columns == ["user", "rank", "item", "score"]
    for user, history in zip(users, lists, strict=True):
        expected = recommender.recommend([history], 5)
        items = [item for item in expected.item_ids[0] if item]
        of_user = table.filter(pl.col("user") == user)
        assert of_user["item"].to_list() == items
        assert of_user["rank"].to_list() == list(range(1, len(items) + 1))
        np.testing.assert_allclose(
            of_user["score"], expected.scores[0][: len(items)], rtol=1e-4
        )
    assert table["user"].unique(maintain_order=True).to_list() == users
    assert [path.name for path in tmp_path.glob("*lists*")] == [name]


def test_the_users_of_a_dataset_with_their_whole_histories(
    recommender_and_histories, monkeypatch
):
    monkeypatch.setattr(batch, "_MAX_ROWS", 7)
    _, histories = recommender_and_histories
    frame = own_histories(histories).collect()
    assert frame["user"].to_list() == histories.user_ids()
    names = histories.item_ids()
    for user, row in enumerate(frame["history"].to_list()):
        own = histories.items[histories.offsets[user] : histories.offsets[user + 1]]
        assert row == [names[number - 1] for number in own]


def test_histories_are_in_the_order_of_the_run(recommender_and_histories):
    _, histories = recommender_and_histories
    random = in_random_order(histories)
    names = np.array(histories.item_ids())
    frame = own_histories(random).collect()
    for number, user in enumerate(histories.user_ids()):
        first, last = random.offsets[number : number + 2]
        expected = names[random.whole[first:last] - 1].tolist()
        assert frame["history"][number].to_list() == expected
        assert batch.history_of(random, user) == expected


def test_a_failure_on_the_way_leaves_the_old_file(recommender_and_histories, tmp_path):
    recommender, histories = recommender_and_histories
    output = tmp_path / "lists.csv"
    output.write_text("old")

    def fail(count):
        raise RuntimeError("stopped")

    frame = frame_of(["u"], [histories.item_ids()[:2]])
    with pytest.raises(RuntimeError, match="stopped"):
        write_recommendations(recommender, frame, output, 5, fail)
    assert output.read_text() == "old"
    assert list(tmp_path.glob("*.tmp")) == []


def test_a_file_that_is_damaged_further_on_is_one_line(
    recommender_and_histories, tmp_path
):
    source, output = tmp_path / "h.parquet", tmp_path / "lists.csv"
    rows = {"user": [str(n) for n in range(90_000)], "history": [["a"]] * 90_000}
    pl.DataFrame(rows).write_parquet(source, row_group_size=9_000)
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3_000] = bytes(3_000)
    source.write_bytes(content)
    recommender, _ = recommender_and_histories
    with pytest.raises(InputError, match="cannot be read to their end") as caught:
        write_recommendations(recommender, pl.scan_parquet(source), output, 5)
    assert "\n" not in str(caught.value)
    assert not output.exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lists.json", "must end in .csv"),
        ("none/lists.csv", "cannot be written"),
        ("folder.parquet", "is a folder; name a file"),
    ],
)
def test_a_bad_output_is_one_line(name, message, tmp_path):
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(InputError, match=message):
        batch.check_output(tmp_path / name)


@pytest.mark.parametrize("name", ["lists.csv", "lists.parquet"])
def test_a_full_disk_is_one_line_and_leaves_nothing(
    name, recommender_and_histories, small_disk
):
    recommender, _ = recommender_and_histories
    users = [f"user {number}" for number in range(30_000)]
    (small_disk / "much").write_bytes(bytes(250_000))
    frame = frame_of(users, [[]] * len(users))
    with pytest.raises(InputError, match=r"cannot be written .*No space left"):
        write_recommendations(recommender, frame, small_disk / name, 5)
    assert [path.name for path in small_disk.iterdir()] == ["much"]
