"""Exports without custom gradients: nobody who loads one is warned."""

import subprocess
import sys

import numpy as np
import tensorflow as tf

from emkd_tf.export.forward import forward_only


@tf.custom_gradient
def _doubled(x, y):
    return (2 * x, [y, x * y]), lambda *upstream: (upstream[0], upstream[1])


def _traced():
    function = tf.function(lambda x: _doubled(x, 1), autograph=False)
    return function.get_concrete_function(tf.TensorSpec([2], tf.int32))


def test_results_are_the_same_and_no_gradient_is_in_the_graph():
    with forward_only():
        plain = _traced()
    full = _traced()
    argument = tf.constant([3, 4])
    for ours, theirs in zip(
        tf.nest.flatten(plain(argument)), tf.nest.flatten(full(argument)), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)

    def kinds(function):
        return {operation.type for operation in function.graph.get_operations()}

    assert "IdentityN" in kinds(full)
    assert "IdentityN" not in kinds(plain)


LOAD = """
import sys
import tensorflow as tf
print("loading", file=sys.stderr, flush=True)
model = tf.saved_model.load(sys.argv[1])
model.signatures["serving_default"](history=tf.constant([["item 1", "item 2"]]))
print("loaded", file=sys.stderr, flush=True)
"""


def test_a_process_that_loads_an_export_is_told_nothing(exported):
    process = subprocess.run(
        [sys.executable, "-c", LOAD, str(exported.folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    assert process.stderr.partition("loading\n")[2] == "loaded\n"
