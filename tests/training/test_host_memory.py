"""Memory that was freed is there again without the system's help."""

import subprocess
import sys

import pytest

COUNT = """
import resource
import sys
import threading

from emkd_tf.training.host_memory import keep_freed_memory


def steps():
    for _ in range(10):
        b"x" * (100 * 2**20)  # beyond an arena's limit


if sys.argv[1] == "kept" and not keep_freed_memory():
    print("no glibc")
    sys.exit()
thread = threading.Thread(target=steps)  # as TensorFlow allocates, in its threads
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
thread.start()
thread.join()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    process = subprocess.run(
        [sys.executable, "-c", COUNT, how], capture_output=True, text=True, check=True
    )
    if "no glibc" in process.stdout:
        pytest.skip("the C library is not glibc")
    return int(process.stdout)


def test_freed_memory_is_used_again():
    pages = 100 * 2**20 // 4096
    assert faults("kept") < 1.5 * pages  # of the first step alone
