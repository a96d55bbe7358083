"""The functions of an exported model; stock operations and plain variables only."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import tensorflow as tf

from emkd_tf.models.ensemble import Ensemble
from emkd_tf.retrieval.recommend import LOWEST, excluded
from emkd_tf.special_ids import PAD_ID

_TINY = 1e-12  # a row of zeros in a table has no direction


def newest_known(item_ids: tf.Tensor, length: int) -> tf.Tensor:
    """Moves the padding between and after items to the front and cuts to the newest.

    Args:
        item_ids: [B, any] int32; PAD_ID at padding and unknown items.
        length: items to keep.

    Returns:
        [B, n] int32, left-padded, in the given order; n is the largest number of items
        in a row, at most `length`.
    """
    is_item = tf.cast(item_ids != PAD_ID, tf.int32)
    order = tf.argsort(is_item, axis=1, stable=True)
    most = tf.reduce_max(tf.reduce_sum(is_item, axis=1))
    width = tf.shape(item_ids)[1]
    first = width - tf.clip_by_value(most, 0, tf.minimum(length, width))
    return tf.gather(item_ids, order[:, first:], batch_dims=1)


class Retriever(tf.Module):
    """Recommends items for histories of raw ids.

    A history's unknown items are dropped and counted. One without a known item falls
    back to popularity and says so.

    Args:
        ensemble: whose weights are exported, each once; a table of items replaces what
            it is computed from.
        vocabulary: text file of the raw ids of items 1..V, one per line.
        popularity: [V] shares of items 1..V, the scores if no item is known.
        k: items to return, cut to the catalogue.
        separator: between the ids of a joined history.
        protocol: which items of a history lists must not hold, see `excluded`.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        vocabulary: Path,
        popularity: np.ndarray,
        k: int,
        separator: str,
        protocol: str = "unseen",
    ):
        super().__init__(name="retriever")
        self._ensemble, self._separator = ensemble, separator
        self._protocol = protocol
        self._k = min(k, ensemble.num_items)
        # The variables are tracked, the Keras layers are not: no trace of Keras is
        # saved, nor is what tables replace.
        towers = ensemble.towers
        folded = {w.ref() for t in towers for w in t.embedding.folded_variables}
        weights = [w for tower in towers for w in tower.serving_variables]
        self.weights = [w for w in weights if w.ref() not in folded]
        self.to_number, self.to_text = _lookup_tables(vocabulary)
        # One graph that all signatures call.
        self._queries = tf.function(
            self._encode,
            input_signature=[tf.TensorSpec([None, None], tf.int32)],
        )
        # Rows of a table that are not items have the lowest score from the start;
        # adding to it changes nothing. Row 0 also takes exclusions at padding.
        self.tables = [tower.serving_table() for tower in towers]
        # Items of histories; where scores have their own weights, these differ from
        # them.
        self.items = [
            table if tower.item_weights is None else tower.embedding.table_variable()
            for tower, table in zip(towers, self.tables, strict=True)
        ]
        num_rows = min(int(table.shape[0]) for table in self.tables)
        self._num_rows = num_rows

        def of_rows(values: np.ndarray, filling: float, name: str) -> tf.Variable:
            rows = np.full(num_rows, filling, np.float32)
            rows[1 : 1 + len(values)] = values
            return tf.Variable(rows, trainable=False, name=name)

        vectors = ensemble.item_vectors().numpy()
        norms = np.linalg.norm(vectors[:, :-1], axis=1)
        self.bias = of_rows(vectors[:, -1], LOWEST, "bias")
        self.popularity = of_rows(popularity, LOWEST, "popularity")
        self.inverse_norms = of_rows(1 / np.maximum(norms, _TINY), 0, "inverse_norms")

    def functions(self) -> dict[str, tf.types.experimental.GenericFunction]:
        """Returns the signatures to save, by name."""
        texts, text = [None, None], [None]
        return {
            "serving_default": _function(self._recommend, history=texts),
            "history_joined": _function(self._recommend_joined, history=text),
            "score": _function(self._score, history=texts, candidates=texts),
            "embed": _function(self._embed, history=texts),
            "similar_items": _function(self._similar_items, item_id=text),
        }

    def _encode(self, item_ids: tf.Tensor) -> list[tf.Tensor]:
        """[B, any] to the towers' queries [B, d], with items from `self.items`."""
        with contextlib.ExitStack() as stack:
            for tower, items in zip(self._ensemble.towers, self.items, strict=True):
                stack.enter_context(tower.embedding.folding.into(items))
            return self._ensemble.queries(item_ids)

    def _recommend(self, history: tf.Tensor) -> dict[str, tf.Tensor]:
        item_ids, marks = self._read(history)
        products = [
            self._product(states, table)
            for states, table in self._states(item_ids, marks["is_popular"])
        ]
        scores = tf.add_n([*products, self._offsets(marks["is_popular"])])
        window = self._ensemble.history_length
        if self._protocol == "window":
            item_ids = newest_known(item_ids, window)
        exclusions = excluded(item_ids, self._protocol, window)
        return {**self._best(scores, exclusions), **marks}

    def _recommend_joined(self, history: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._recommend(tf.strings.split(history, self._separator).to_tensor(""))

    def _score(self, history: tf.Tensor, candidates: tf.Tensor) -> dict[str, tf.Tensor]:
        item_ids, marks = self._read(history)
        numbers = self._numbers(candidates)
        products = [
            tf.linalg.matvec(tf.gather(table, numbers), states)
            for states, table in self._states(item_ids, marks["is_popular"])
        ]
        offsets = tf.where(
            marks["is_popular"][:, tf.newaxis],
            tf.gather(self.popularity, numbers),
            tf.gather(self.bias, numbers),
        )
        return {
            "scores": tf.add_n(products) + offsets,
            "is_known": numbers != PAD_ID,
            **marks,
        }

    def _embed(self, history: tf.Tensor) -> dict[str, tf.Tensor]:
        item_ids, marks = self._read(history)
        is_popular = marks["is_popular"]
        states = [s for s, _ in self._states(item_ids, is_popular)]
        kind = tf.stack([~is_popular, is_popular], axis=1)
        query = tf.concat([*states, tf.cast(kind, tf.float32)], axis=1)
        return {"query": query, **marks}

    def _similar_items(self, item_id: tf.Tensor) -> dict[str, tf.Tensor]:
        numbers = self._numbers(item_id)
        products = [
            self._product(tf.gather(table, numbers), table) for table in self.tables
        ]
        cosines = tf.add_n(products) * self.inverse_norms
        cosines *= tf.gather(self.inverse_norms, numbers)[:, tf.newaxis]
        is_known = numbers != PAD_ID
        is_item = self.bias > LOWEST
        scores = tf.where(is_known[:, tf.newaxis] & is_item, cosines, LOWEST)
        best = self._best(scores, numbers[:, tf.newaxis])
        return {**best, "is_known": is_known}

    def _product(self, states: tf.Tensor, table: tf.Variable) -> tf.Tensor:
        """Multiplies states [B, d] with a table, up to the last row that all tables
        have."""
        product = tf.matmul(states, table, transpose_b=True)
        return (
            product[:, : self._num_rows] if table.shape[0] > self._num_rows else product
        )

    def _numbers(self, texts: tf.Tensor) -> tf.Tensor:
        """Looks up raw ids: PAD_ID where unknown."""
        return tf.cast(self.to_number.lookup(texts) + 1, tf.int32)

    def _read(self, history: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """[B, any] raw ids to item ids, and what a caller should know about them."""
        item_ids = self._numbers(history)
        is_known = item_ids != PAD_ID
        is_unknown = ~is_known & (history != "")
        return item_ids, {
            "unknown_items": tf.math.count_nonzero(is_unknown, axis=1, dtype=tf.int32),
            "is_popular": ~tf.reduce_any(is_known, axis=1),
        }

    def _states(self, item_ids: tf.Tensor, is_popular: tf.Tensor) -> list:
        """Pairs of states [B, d] and the table to score them with; zero where
        popularity counts."""
        newest = newest_known(item_ids, self._ensemble.history_length)
        is_zero = is_popular[:, tf.newaxis]
        # Encoders need a row: an empty batch gets one, which is removed again.
        batch = tf.shape(newest)[0]
        spare = tf.cast(batch == 0, tf.int32)
        states = self._queries(tf.pad(newest, [[0, spare], [0, 0]]))
        return [
            (tf.where(is_zero, 0.0, s[:batch]), table)
            for s, table in zip(states, self.tables, strict=True)
        ]

    def _offsets(self, is_popular: tf.Tensor) -> tf.Tensor:
        return tf.where(is_popular[:, tf.newaxis], self.popularity, self.bias)

    def _best(self, scores: tf.Tensor, exclusions: tf.Tensor) -> dict[str, tf.Tensor]:
        """Top k of scores [B, rows of a table] without excluded items [B, any]."""
        scores = tf.tensor_scatter_nd_update(
            scores, _places(exclusions), tf.fill([tf.size(exclusions)], LOWEST)
        )
        top, numbers = tf.math.top_k(scores, self._k)
        texts = self.to_text.lookup(tf.cast(numbers, tf.int64) - 1)
        # Beyond the catalogue's end there are no items, only what was excluded.
        return {"item_ids": tf.where(top > LOWEST, texts, ""), "scores": top}


def _function(python_function, **shapes: list) -> tf.types.experimental.GenericFunction:
    """A function of strings with named inputs."""
    signature = [tf.TensorSpec(s, tf.string, name) for name, s in shapes.items()]
    return tf.function(python_function, input_signature=signature)


def _lookup_tables(vocabulary: Path) -> tuple:
    """From text to line number and back; the asset is in the SavedModel once."""
    at = tf.lookup.TextFileIndex
    line, number = (tf.string, at.WHOLE_LINE), (tf.int64, at.LINE_NUMBER)
    to_number, to_text = (
        tf.lookup.TextFileInitializer(str(vocabulary), *keys, *values)
        for keys, values in ((line, number), (number, line))
    )
    return (
        tf.lookup.StaticHashTable(to_number, default_value=-1),
        tf.lookup.StaticHashTable(to_text, default_value=""),
    )


def _places(item_ids: tf.Tensor) -> tf.Tensor:
    """[B, any] ids to the [B * any, 2] places of their scores."""
    batch, length = tf.unstack(tf.shape(item_ids))
    rows = tf.repeat(tf.range(batch), length)
    return tf.stack([rows, tf.reshape(item_ids, [-1])], axis=1)
