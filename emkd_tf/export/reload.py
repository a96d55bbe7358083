"""Run as a script: asks an exported model questions, with TensorFlow as the only
import.

    python reload.py EXPORT FOLDER

reads FOLDER/questions.json (rows of item ids) and writes FOLDER/answers.json.
"""

import json
import sys
from pathlib import Path

import tensorflow as tf


def main(export: str, folder: Path) -> None:
    """Calls `serving_default` and writes what it returns."""
    questions = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
    signature = tf.saved_model.load(export).signatures["serving_default"]
    answers = signature(history=tf.constant(questions, tf.string))
    texts = [[t.decode() for t in row] for row in answers["item_ids"].numpy()]
    content = {"item_ids": texts, "scores": answers["scores"].numpy().tolist()}
    (folder / "answers.json").write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
