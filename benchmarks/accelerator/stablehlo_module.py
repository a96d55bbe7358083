"""StableHLO of TensorFlow's, made into what JAX reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import jax
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo

_DTYPES = {
    "f32": "float32",
    "f64": "float64",
    "bf16": "bfloat16",
    "i1": "bool",
    "i8": "int8",
    "i32": "int32",
    "i64": "int64",
    "ui8": "uint8",
    "ui32": "uint32",
    "ui64": "uint64",
}
_ALIASES = "mhlo.input_output_alias"


@dataclasses.dataclass(frozen=True)
class Module:
    """A StableHLO module as JAX's own.

    Attributes:
        code: that newer and somewhat older versions read.
        inputs, outputs: shapes and types.
        aliases: by the number of an output that of the input which it is the new value
            of.
    """

    code: bytes
    inputs: list[tuple[list[int], str]]
    outputs: list[tuple[list[int], str]]
    aliases: dict[int, int]


def as_jax_has_it(bytecode: bytes) -> Module:
    """Returns a module of TensorFlow's, MLIR bytecode, without what is of XLA alone."""
    # JAX makes a context that knows all dialects only along with a module.
    with jax.jit(lambda: 0).lower().compiler_ir("stablehlo").context:
        module = ir.Module.parse(bytecode)
        attributes = module.operation.attributes
        aliases = {
            ir.DenseI64ArrayAttr(pair["output_index"])[0]: int(
                ir.IntegerAttr(pair["alias"]["parameter_number"])
            )
            for pair in attributes.get(_ALIASES, ())
        }
        _keep_only_stablehlo(module)
        main = next(
            op
            for op in module.body.operations
            if ir.StringAttr(op.attributes["sym_name"]).value == "main"
        )
        kind = ir.FunctionType(ir.TypeAttr(main.attributes["function_type"]).value)
        requirement = stablehlo.StablehloCompatibilityRequirement.WEEK_12
        version = stablehlo.get_version_from_compatibility_requirement(requirement)
        code = stablehlo.serialize_portable_artifact(module, version)
        return Module(code, _shapes(kind.inputs), _shapes(kind.results), aliases)


def _keep_only_stablehlo(module: ir.Module) -> None:
    """Removes what is of XLA alone: advice, and copies that keep buffers apart."""
    copies = []

    def visit(op: ir.Operation) -> ir.WalkResult:
        for name in [n for n in op.attributes if n.startswith("mhlo.")]:
            del op.attributes[name]
        if op.name == "mhlo.copy":
            copies.append(op)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    for copy in copies:
        copy.results[0].replace_all_uses_with(copy.operands[0])
        copy.erase()


def _shapes(types: Sequence[ir.Type]) -> list[tuple[list[int], str]]:
    tensors = [ir.RankedTensorType(type_) for type_ in types]
    return [(list(t.shape), _DTYPES[str(t.element_type)]) for t in tensors]
