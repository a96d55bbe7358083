"""Sequence encoders: (tokens [T, d], packing, dropout) to states [T, d].

The embedding stands outside. A class says of itself:

- `KNOWS_ORDER`: it tells orders of items apart without position embeddings;
- `IS_CAUSAL`: a state knows nothing of later items;
- `NORMS_EMBEDDING`: its tokens should have gone through a layer norm.

`config/encoder_table.py` lists them.
"""
