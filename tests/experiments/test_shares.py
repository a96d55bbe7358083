"""What trainings have of the machine where several run at a time."""

import os

import pytest

from emkd_tf.experiments.shares import share

TWO = """#!/bin/sh
[ "$1" = -L ] || exit 1
echo 'GPU 0: NVIDIA H200 (UUID: GPU-a)'
echo '  MIG 1g.18gb Device 0: (UUID: MIG-b)'
echo 'GPU 1: NVIDIA H200 (UUID: GPU-c)'
"""
NONE = "#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n"


@pytest.fixture
def smi(tmp_path, monkeypatch):
    """Returns a function that makes a text the only nvidia-smi there is."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def write(text):
        program = tmp_path / "nvidia-smi"
        program.write_text(text)
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return write


def gpus(jobs):
    shares = [share(number, jobs) for number in range(jobs)]
    return [each.get("CUDA_VISIBLE_DEVICES") for each in shares]


@pytest.mark.parametrize("jobs", [2, 3])
def test_gpus_are_dealt_out(smi, jobs):
    smi(TWO)
    assert gpus(jobs) == ["0", "1", "0"][:jobs]
    grows = share(0, jobs).get("TF_FORCE_GPU_ALLOW_GROWTH")
    assert grows == ("true" if jobs == 3 else None)


def test_the_gpus_of_the_environment_are_those_there_are(smi, monkeypatch):
    smi(TWO)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-c,5")
    assert gpus(2) == ["3", "GPU-c"]
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert gpus(2) == [None, None]


@pytest.mark.parametrize("program", [NONE, "no program\n"])
def test_a_machine_may_have_no_gpu(smi, program):
    smi(program)
    assert gpus(2) == [None, None]


def test_cores_are_shared(smi, monkeypatch):
    smi(NONE)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # as on macOS
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    cores = {"TF_NUM_INTRAOP_THREADS": "2", "OMP_NUM_THREADS": "2"}
    assert share(3, 4) == cores
    assert set(share(0, 9).values()) == {"1"}


def test_one_training_has_the_whole_machine(smi):
    smi(TWO)
    assert share(0, 1) == {}
