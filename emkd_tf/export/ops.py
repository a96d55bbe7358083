"""The operations that an export may use."""

# All are TensorFlow's own and part of every serving binary; what none of our signatures
# needs is left out on purpose, above all XLA's and those that call Python or read files.
ALLOWED_OPS = frozenset(
    """
    AddN AddV2 Any AssignVariableOp BatchMatMulV2 BroadcastTo Cast ConcatV2 Const
    Cumsum DenseBincount DisableCopyOnRead ExpandDims Fill GatherV2 Greater
    HashTableV2 Identity IdentityN InitializeTableFromTextFileV2 Less LogicalAnd
    LogicalNot LookupTableFindV2 MatMul Max Maximum Mean MergeV2Checkpoints Minimum
    Mul Neg NoOp NotEqual Pack Pad PadV2 Placeholder Pow RaggedTensorToTensor Range
    ReadVariableOp Reshape ResourceGather RestoreV2 Rsqrt SaveV2 Select SelectV2
    Shape ShardedFilename Size Softmax Square Squeeze StatefulPartitionedCall
    StaticRegexFullMatch StridedSlice StringJoin StringSplitV2 Sub Sum Tanh
    TensorScatterUpdate Tile TopKV2 Transpose Unpack VarHandleOp VarIsInitializedOp
    Where
    """.split()
)
