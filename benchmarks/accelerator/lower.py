"""A training as programs that need neither TensorFlow nor this package's models.

    pip install jax
    python benchmarks/accelerator/lower.py reports/program \
        --model emkd --dataset beauty --preset paper

Takes the settings of `emkd train`. Lowers the step (the batch with its masks, the
losses, the optimizer) and the ranking of the validation to StableHLO, and writes them
with the data and the first weights to a folder. `drive.py` trains from it on any
machine that has JAX; `collect.py` makes a run of what it brings back.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import emkd_tf  # noqa: F401  chooses Keras 2 before TensorFlow loads

# isort: split
import numpy as np
import tensorflow as tf
from stablehlo_module import as_jax_has_it
from state import state_of
from tables import TableReads, tables_of

from emkd_tf.config import Config
from emkd_tf.config.flags import read_settings
from emkd_tf.data.histories import Histories
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.evaluation.evaluator import ENSEMBLE, chunk_users, chunks
from emkd_tf.evaluation.ranks import rank_targets
from emkd_tf.models.recommender import Recommender
from emkd_tf.models.stage import Stage
from emkd_tf.training.run_config import write_config
from emkd_tf.training.setup import compile_model, stage_data, stages_of
from emkd_tf.training.training_data import TrainingData

SPLIT = "validation"
_Tensors = dict[str, tf.Tensor]


def lower(
    function: Callable[[_Tensors], _Tensors],
    arguments: Mapping[str, Any],
    state: Mapping[str, tf.Variable],
    path: Path,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Lowers a function of named tensors and of variables.

    Args:
        function: to lower; it may assign to the variables.
        arguments: values of the shapes and types that it is called with.
        state: the variables by name.
        path: of the program.

    Returns:
        What `drive.py` must know: the names of the inputs and of the outputs, which are
        results or the new state, and their shapes; and the values of the inputs that
        are neither arguments nor state, by name.
    """
    given = {name: tf.constant(value) for name, value in arguments.items()}
    compiled = tf.function(function, jit_compile=True, autograph=False)
    concrete = compiled.get_concrete_function(given)
    names = {id(variable.handle): name for name, variable in state.items()}
    variables = {id(variable.handle): variable for variable in concrete.variables}
    inputs, constants = sorted(given), {}
    for number, captured in enumerate(concrete.captured_inputs):
        name = names.get(id(captured))
        if name is None:
            name = f"{path.stem}/constant/{number}"
            constants[name] = variables.get(id(captured), captured).numpy()
        inputs.append(name)
    bytecode = compiled.experimental_get_compiler_ir(given)("stablehlo_serialized")
    module = as_jax_has_it(bytecode)
    results = sorted(concrete.structured_outputs)
    changed = [inputs[number] for _, number in sorted(module.aliases.items())]
    if (len(inputs), len(results) + len(changed)) != (
        len(module.inputs),
        len(module.outputs),
    ):
        raise RuntimeError("TensorFlow has dropped inputs or outputs of the program")
    path.write_bytes(module.code)
    program = {
        "inputs": inputs,
        "outputs": [*results, *changed],
        "input_shapes": module.inputs,
        "output_shapes": module.outputs,
    }
    return program, constants


def lower_stage(stage: Stage, histories: Histories, folder: Path) -> None:
    """Writes the programs of a stage, their data and the first state to a folder."""
    config, training = stage.config, stage.config.training
    folder.mkdir(parents=True)
    data = stage_data(stage, histories)
    model = stage.model.create(config, histories)
    compile_model(model, config, data.num_steps)
    state = state_of(model)
    examples = stage.model.examples(config, histories)
    tables = tables_of(histories.items, examples)
    arrays = {name: variable.numpy() for name, variable in state.items()}
    rows = np.zeros(training.batch_size, np.int64)
    step, constants = _lower_step(model, data, tables, rows, state, folder)
    about: dict[str, Any] = {
        "name": stage.name,
        "epochs": data.epochs,
        "epoch_steps": data.epoch_steps,
        "batch_size": training.batch_size,
        "rows": len(examples.rows),
        "seed": training.seed,
        "validation_every": training.validation_every if stage.is_validated else 0,
        "patience": training.patience,
        "step": step,
    }
    arrays |= {**tables, **constants}
    if stage.is_validated:
        validation = chunk_arrays(histories, model.history_length)
        rank, constants = _lower_rank(config, model, validation, state, folder)
        about["rank"] = rank
        arrays |= {f"{SPLIT}/{name}": v for name, v in validation.items()} | constants
    np.savez_compressed(folder / "arrays.npz", **arrays)
    (folder / "stage.json").write_text(json.dumps(about))


def _lower_step(
    model: Recommender,
    data: TrainingData,
    tables: Mapping[str, np.ndarray],
    rows: np.ndarray,
    state: Mapping[str, tf.Variable],
    folder: Path,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Lowers a step of the rows [B] int64 that begin with example `first` []."""

    def train(arguments: _Tensors) -> _Tensors:
        rows, first = arguments["rows"], arguments["first"]
        numbers = first + tf.range(tf.shape(rows)[0], dtype=tf.int64)
        batch = data.stream.batch(rows, numbers, TableReads(arguments))
        return model.train_step(batch)

    return lower(
        train,
        {"rows": rows, "first": np.int64(0), **tables},
        state,
        folder / "step.vhlo",
    )


def _lower_rank(
    config: Config,
    model: Recommender,
    validation: Mapping[str, np.ndarray],
    state: Mapping[str, tf.Variable],
    folder: Path,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Lowers the ranks of a chunk's targets, by the ensemble and by each network."""

    def rank(chunk: _Tensors) -> _Tensors:
        vectors = model.user_vectors(chunk["item_ids"], chunk["users"])
        rest = [chunk[name] for name in ("targets", "seen", "in_window")]
        found = {ENSEMBLE: rank_targets(vectors, model.item_vectors(), *rest)}
        for name, part in model.members().items():
            own = tf.gather(vectors, part.columns, axis=1)
            found[name] = rank_targets(own, part.item_vectors, *rest)
        return {name: ranks[config.run.excluding] for name, ranks in found.items()}

    first = {name: values[0] for name, values in validation.items() if name != "rows"}
    return lower(rank, first, state, folder / "rank.vhlo")


def chunk_arrays(histories: Histories, window: int) -> dict[str, np.ndarray]:
    """Returns `chunks` of the validation, all of one shape: [chunks, n, ...] by name.

    What pads a chunk has row -1.
    """
    size = chunk_users(histories.num_items)
    found = list(chunks(histories, SPLIT, window, size))
    arrays = {}
    for name in found[0]:
        values = [chunk[name] for chunk in found]
        width = max((v.shape[1] for v in values if v.ndim > 1), default=0)
        padded = []
        for value in values:
            # Histories are padded on the left; the rest in whatever way.
            pad = [(0, size - len(value))]
            pad += [(width - value.shape[1], 0)] if value.ndim > 1 else []
            fill = {"rows": -1, "targets": 1}.get(name, 0)
            padded.append(np.pad(value, pad, constant_values=fill))
        arrays[name] = np.stack(padded)
    return arrays


def main(arguments: Sequence[str]) -> None:
    folder = Path(arguments[0])
    flags = [*arguments[1:], "--jit-compile=true"]
    config = read_settings("lower.py", __doc__, flags).config
    if config.objective.distill is not None or config.training.weight_average:
        raise InputError("--distill and --weight-average are not lowered; leave them.")
    histories = prepare(config.data)
    stages = stages_of(config)
    for number, stage in enumerate(stages):
        lower_stage(stage, histories, folder / str(number))
    write_config(folder, config)
    size = sum(path.stat().st_size for path in folder.rglob("*"))
    print(f"{folder}: {len(stages)} stages, {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main(sys.argv[1:])
