"""The library from a notebook: prepare, train, recommend, export.

>>> import emkd_tf
>>> log = emkd_tf.prepare("sample")                            # doctest: +SKIP
>>> run = emkd_tf.train(log, model="sasrec", preset="smoke")   # doctest: +SKIP
>>> run.metrics["test"]["NDCG@10"]                             # doctest: +SKIP
"""

from emkd_tf.notebook.data import Data, prepare
from emkd_tf.notebook.run import Run, open_run, train

__all__ = ["Data", "Run", "open_run", "prepare", "train"]
