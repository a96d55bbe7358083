"""Sequence encoders: (tokens [T, d], packing, dropout) to states [T, d].

The embedding is separate. Each class declares:

- `KNOWS_ORDER`: it is sensitive to the order of items without position embeddings;
- `IS_CAUSAL`: a state does not depend on later items;
- `NORMS_EMBEDDING`: it expects tokens that have passed a layer norm.

`config/encoder_table.py` lists them.
"""
