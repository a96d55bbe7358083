"""Signals, in processes that get real ones."""

import signal
import subprocess
import sys
import time

import pytest

from emkd_tf.cli import main
from emkd_tf.training import run
from emkd_tf.training.interrupts import Interrupts

PROGRAM = """
import hashlib, sys, time
from emkd_tf.training.interrupts import Interrupts

with Interrupts(ends_process="notebook" not in sys.argv) as interrupts:
    try:
        if sys.argv[1] == "deferred":
            with interrupts.deferred():
                print("ready", flush=True)
                while not interrupts.requested:
                    time.sleep(0.01)
                print("requested", flush=True)
                if "insists" in sys.argv:
                    time.sleep(60)
                if "busy" in sys.argv:
                    # One call into C, as a training step: no handler of Python runs.
                    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)
        else:
            print("ready", flush=True)
            time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
print("the end", flush=True)
"""


def start(*arguments):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_at_once_where_nothing_is_to_be_saved(number):
    process = start("at once")
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert (out, process.returncode) == ("interrupted\nthe end\n", 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_deferred_signal_waits_to_be_looked_at(number):
    process = start("deferred")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (out, process.returncode) == ("requested\ninterrupted\nthe end\n", 0)
    assert err == "Stopping after this step; press Ctrl-C again to stop at once.\n"


def test_a_second_signal_ends_the_process_also_inside_a_computation():
    process = start("deferred", "busy")
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "requested\n"
    time.sleep(0.2)
    began = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.perf_counter() - began < 5


def test_the_command_asks_for_that(monkeypatch):
    asked = {}
    monkeypatch.setattr(run, "train", lambda config, **options: asked.update(options))
    assert main(["train", "--dataset=sample", "--preset=smoke"]) == 0
    assert asked == {"ends_process": True}


def test_a_second_signal_in_a_notebook_interrupts_and_leaves_the_process():
    process = start("deferred", "insists", "notebook")
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "requested\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (out, process.returncode) == ("interrupted\nthe end\n", 0)
    assert err.count("Stopping after this step") == 1


def test_two_signals_inside_a_computation_interrupt_a_notebook_after_it():
    """Python handles several as one."""
    with Interrupts() as interrupts, interrupts.deferred():
        interrupts._num_seen = 2
        with pytest.raises(KeyboardInterrupt):
            interrupts._handle(signal.SIGINT, None)
