"""Sequence encoders: item ids [B, L] int32 to hidden states [B, L, d]."""

from emkd_tf.encoders.transformer import TransformerEncoder

ENCODERS = {"transformer": TransformerEncoder}
