"""Recommends for a file of histories with an export and nothing of this package.

python examples/score_batch.py saved_models/shop/1 histories.parquet lists.parquet

The histories are Parquet with columns user and history (a list of item ids, oldest
first, as text or numbers). Who has none is recommended what is popular. `emkd recommend
--input` does the same with a run.
"""

import argparse

import polars as pl
import tensorflow as tf

CHUNK = 1024  # histories at a time


def main() -> None:
    parser = argparse.ArgumentParser(description="Recommends for a file of histories.")
    parser.add_argument(
        "model", help="folder of a version, such as saved_models/shop/1"
    )
    parser.add_argument("input", help="Parquet file: user, history")
    parser.add_argument("output", help="Parquet file to write: user, rank, item, score")
    parser.add_argument("--k", type=int, default=10, help="items of a list")
    arguments = parser.parse_args()
    predict = tf.saved_model.load(arguments.model).signatures["serving_default"]
    item_ids = pl.col("history").cast(pl.List(pl.String)).fill_null([])
    histories = pl.read_parquet(arguments.input).with_columns(
        item_ids.list.drop_nulls()
    )
    # A file without rows has one part without rows.
    firsts = range(0, max(1, len(histories)), CHUNK)
    parts = [lists(predict, histories[i : i + CHUNK], arguments.k) for i in firsts]
    pl.concat(parts).write_parquet(arguments.output)
    print(f"{arguments.output}: lists for {len(histories):,} histories")


def lists(predict, histories: pl.DataFrame, k: int) -> pl.DataFrame:
    """Returns a row an item; places that a history leaves empty are left out."""
    rows = histories["history"].to_list()
    padded = tf.ragged.constant(rows, dtype=tf.string, ragged_rank=1)
    answer = predict(history=padded.to_tensor(default_value=""))
    items, scores = answer["item_ids"].numpy()[:, :k], answer["scores"].numpy()[:, :k]
    frame = histories.select("user").with_columns(
        item=pl.Series(
            [[item.decode() for item in row] for row in items], dtype=pl.List(pl.String)
        ),
        score=pl.Series(scores.tolist(), dtype=pl.List(pl.Float32)),
        rank=pl.lit(list(range(1, items.shape[1] + 1))),
    )
    rows = frame.explode("rank", "item", "score").filter(pl.col("item") != "")
    return rows.select("user", "rank", "item", "score")


if __name__ == "__main__":
    main()
