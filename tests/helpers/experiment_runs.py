"""What tests of experiments do with their files and those of runs."""

import json

import numpy as np
import yaml


def ndcg(ranks):
    return np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0).mean()


def change(path, **values):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | values))


def two_stages(run):
    """Gives a run a pre-training of 2 epochs, 6 steps, in batches of 4."""
    history = run / "history.jsonl"
    last = [json.loads(line) | {"stage": "fine"} for line in history.open()]
    first = [{"epoch": n, "step": 3 * n, "stage": "pretraining"} for n in (1, 2)]
    history.write_text("".join(json.dumps(line) + "\n" for line in [*first, *last]))
    settings = "pretrain_epochs: 2\npretrain_batch_size: 4\n"
    config = run / "config.yaml"
    config.write_text(config.read_text() + settings)


def write(tmp_path, **values):
    """Writes a grid, by default of one row of SASRec; returns its path."""
    path = tmp_path / "mine.yaml"
    content = {"rows": {"a": {"model": "sasrec"}}, **values}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return str(path)
