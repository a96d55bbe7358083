"""The memory of the process."""

import numpy as np

from emkd_tf.board.machine import peak_memory


def test_the_peak_rises_by_what_is_used():
    before = peak_memory()["memory/host"]
    assert 0.05 < before < 1000
    held = np.ones(int((before + 0.25) * 2**30), np.uint8)
    assert peak_memory()["memory/host"] - before >= 0.2
    assert held[-1] == 1
