"""Other libraries' models: accuracy against the CPU seconds of their training.

    python3.11 -m venv rectools
    rectools/bin/pip install 'rectools[torch]==0.19.0' 'setuptools<81'
    rectools/bin/python benchmarks/peers.py --log Beauty.txt --model rectools-sasrec \
        --epochs 20 --output reports/peers

RecBole needs another environment, with

    recbole/bin/pip install 'recbole==1.2.1' 'setuptools<81' 'numpy<2' 'pandas<2.3'

Neither needs EMKD-TF. Writes `MODEL.jsonl` with one line per epoch: the CPU seconds of
training so far, without evaluation, and the metrics of lists of ten items, history
excluded, on validation and test. Stops when validation has not risen for `--patience`
epochs.

Every model has the settings that its library's authors published for this kind of data,
if they did (`transformer_benchmark` of RecTools; RecBole's defaults with its cross
entropy), with the width of `--width`. They pad every history to `--length`: Beauty's
have 9 items on average, so 20 costs them less than half as much as 50.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from ranking import K, Part, held_out, metrics, read_log

BATCH_SIZE, DROPOUT = 128, 0.2
SEED = 0


class Peer(Protocol):
    """A model of another library."""

    def train_epoch(self) -> None: ...

    def lists(self, part: Part) -> list[list[str]]:
        """Returns the best items for each user, without items of the history."""


class RecTools:
    """SASRec, eSASRec (LiGR layers) and BERT4Rec of RecTools.

    Args:
        log: of all users, training, validation and test.
        name: one of RECTOOLS.
        width: of items and states.
        length: how many of the newest items of a history it sees.
    """

    def __init__(self, log: dict[str, list[str]], name: str, width: int, length: int):
        from lightning_fabric import seed_everything

        seed_everything(SEED)
        self._users = list(log)
        make, settings = RECTOOLS[name]
        self._model = make()(
            n_blocks=1,
            n_heads=1,
            n_factors=width,
            session_max_len=length,
            batch_size=BATCH_SIZE,
            dropout_rate=DROPOUT,
            **(settings() if callable(settings) else settings),
        )
        self._train = self._dataset(Part(self._users, [*_training(log)], []))

    def _dataset(self, part: Part) -> Any:
        import pandas as pd
        from rectools import Columns
        from rectools.dataset import Dataset

        lengths = [len(history) for history in part.histories]
        return Dataset.construct(
            pd.DataFrame(
                {
                    Columns.User: np.repeat(part.users, lengths),
                    Columns.Item: np.concatenate(part.histories),
                    Columns.Weight: 1.0,
                    Columns.Datetime: pd.to_datetime(
                        np.concatenate([np.arange(n) for n in lengths]), unit="D"
                    ),
                }
            )
        )

    def train_epoch(self) -> None:
        self._model.fit_partial(self._train, min_epochs=1, max_epochs=1)

    def lists(self, part: Part) -> list[list[str]]:
        found = self._model.recommend(
            part.users, self._dataset(part), k=K, filter_viewed=True,
            on_unsupported_targets="ignore",
        )  # fmt: skip
        by_user = found.sort_values("rank").groupby("user_id")["item_id"].agg(list)
        return [by_user.get(user, []) for user in part.users]


def _sasrec() -> Any:
    from rectools.models import SASRecModel

    return SASRecModel


def _bert4rec() -> Any:
    from rectools.models import BERT4RecModel

    return BERT4RecModel


def _ligr() -> dict[str, Any]:
    from rectools.models.nn.transformers.ligr import LiGRLayers

    return {**_SAMPLED, "transformer_layers_type": LiGRLayers}


_SAMPLED = {"loss": "sampled_softmax", "n_negatives": 256}
RECTOOLS: dict[str, tuple[Callable[[], Any], Any]] = {
    "rectools-sasrec": (_sasrec, {"loss": "softmax"}),
    "rectools-sasrec-sampled": (_sasrec, _SAMPLED),
    "rectools-esasrec": (_sasrec, _ligr),
    "rectools-bert4rec": (_bert4rec, {"loss": "softmax", "mask_prob": 0.2}),
}


class RecBole:
    """SASRec and GRU4Rec of RecBole, cross entropy over all items.

    Args: see `RecTools`; the name is one of RECBOLE.
    """

    def __init__(self, log: dict[str, list[str]], name: str, width: int, length: int):
        from recbole.config import Config
        from recbole.data import create_dataset, data_preparation
        from recbole.utils import get_model, get_trainer, init_seed

        model, settings = RECBOLE[name]
        path = Path(tempfile.mkdtemp()) / "log" / "log.inter"
        path.parent.mkdir()
        rows = (
            f"{user}\t{item}\t{time_}\n"
            for user, items in log.items()
            for time_, item in enumerate(items)
        )
        header = "user_id:token\titem_id:token\ttimestamp:float\n"
        path.write_text(header + "".join(rows))
        config = Config(
            model=model,
            dataset="log",
            config_dict={
                "data_path": str(path.parent.parent),
                "checkpoint_dir": str(path.parent.parent),
                "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
                "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO"},
                "train_neg_sample_args": None,
                "loss_type": "CE",
                **settings(width),
                "MAX_ITEM_LIST_LENGTH": length,
                "seed": SEED,
                "show_progress": False,
                "state": "ERROR",
            },
        )
        init_seed(SEED, reproducibility=True)
        self._dataset = create_dataset(config)
        self._data, _, _ = data_preparation(config, self._dataset)
        self._model = get_model(config["model"])(config, self._data.dataset)
        self._trainer = get_trainer(config["MODEL_TYPE"], config["model"])(
            config, self._model
        )
        self._epoch, self._length = 0, length

    def train_epoch(self) -> None:
        self._trainer._train_epoch(self._data, self._epoch, show_progress=False)
        self._epoch += 1

    def lists(self, part: Part) -> list[list[str]]:
        import torch
        from recbole.data.interaction import Interaction

        self._model.eval()
        numbers = self._dataset.field2token_id["item_id"]
        names = self._dataset.field2id_token["item_id"]
        found = []
        for start in range(0, len(part.users), 256):
            histories = [
                [numbers[item] for item in history]
                for history in part.histories[start : start + 256]
            ]
            rows = torch.zeros(len(histories), self._length, dtype=torch.long)
            for row, history in zip(rows, histories, strict=True):
                recent = history[-self._length :]
                row[: len(recent)] = torch.tensor(recent)
            lengths = torch.tensor([min(len(h), self._length) for h in histories])
            batch = Interaction({"item_id_list": rows, "item_length": lengths})
            with torch.no_grad():
                scores = self._model.full_sort_predict(batch).view(len(histories), -1)
            scores[:, 0] = -torch.inf  # padding
            for row, history in zip(scores, histories, strict=True):
                row[history] = -torch.inf
            best = scores.topk(K).indices.tolist()
            found += [[names[number] for number in numbers_] for numbers_ in best]
        return found


RECBOLE: dict[str, tuple[str, Callable[[int], dict[str, int]]]] = {
    "recbole-sasrec": ("SASRec", lambda d: {"hidden_size": d, "inner_size": 4 * d}),
    # Its hidden state is twice as wide as its items; it projects from and to these.
    "recbole-gru4rec": (
        "GRU4Rec",
        lambda d: {"embedding_size": d, "hidden_size": 2 * d},
    ),
}


def _training(log: dict[str, list[str]]) -> Iterator[list[str]]:
    """Yields what each user did before validation; short histories stay whole."""
    return (items[:-2] if len(items) > 2 else items for items in log.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--model", choices=[*RECTOOLS, *RECBOLE], required=True)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--length", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument(
        "--seconds", type=float, default=math.inf, help="CPU seconds, whole epochs"
    )
    parser.add_argument(
        "--patience",
        type=int,
        default=5,
        help="epochs after the best validation NDCG@10, then it ends",
    )
    parser.add_argument("--output", type=Path, default=Path("reports/peers"))
    given = parser.parse_args()

    log = read_log(given.log)
    make = RecTools if given.model in RECTOOLS else RecBole
    given.output.mkdir(parents=True, exist_ok=True)
    name = f"{given.model}-{given.width}.jsonl"
    best, best_epoch = -math.inf, 0
    spent = -time.process_time()
    peer: Peer = make(log, given.model, given.width, given.length)
    with (given.output / name).open("w") as file:
        for epoch in range(1, given.epochs + 1):
            if spent + time.process_time() > given.seconds:
                break
            peer.train_epoch()
            spent += time.process_time()
            line: dict[str, Any] = {"epoch": epoch, "processor_seconds": spent}
            for part, from_end in (("validation", 2), ("test", 1)):
                known = held_out(log, from_end)
                line[part] = metrics(peer.lists(known), known.targets)
            print(json.dumps(line), file=file, flush=True)
            if line["validation"]["NDCG@10"] > best:
                best, best_epoch = line["validation"]["NDCG@10"], epoch
            if epoch - best_epoch >= given.patience:
                break
            spent -= time.process_time()


if __name__ == "__main__":
    main()
