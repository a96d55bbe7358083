"""Recommends for a file of histories with an export and nothing of this package.

python examples/score_batch.py saved_models/shop/1 histories.parquet lists.parquet

The histories are Parquet with columns user and history (a list of item ids, oldest
first). `emkd recommend --input` does the same with a run.
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
    histories = pl.read_parquet(arguments.input)
    parts = [lists(predict, part, arguments.k) for part in histories.iter_slices(CHUNK)]
    pl.concat(parts).write_parquet(arguments.output)
    print(f"{arguments.output}: lists for {len(histories):,} histories")


def lists(predict, histories: pl.DataFrame, k: int) -> pl.DataFrame:
    """Returns a row an item; places that a history leaves empty are left out."""
    padded = tf.ragged.constant(histories["history"].to_list(), dtype=tf.string)
    answer = predict(history=padded.to_tensor(default_value=""))
    items, scores = answer["item_ids"].numpy()[:, :k], answer["scores"].numpy()[:, :k]
    frame = histories.select("user").with_columns(
        item=pl.Series([[item.decode() for item in row] for row in items]),
        score=pl.Series(scores.tolist(), dtype=pl.List(pl.Float32)),
        rank=pl.lit(list(range(1, items.shape[1] + 1))),
    )
    rows = frame.explode("rank", "item", "score").filter(pl.col("item") != "")
    return rows.select("user", "rank", "item", "score")


if __name__ == "__main__":
    main()
