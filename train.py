"""Trains, evaluates and exports a model: `python train.py --dataset beauty`.

The same as `emkd train`; `python train.py --help` lists every setting.
"""

import sys

from emkd_tf.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
