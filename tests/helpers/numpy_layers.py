"""Layers of transformers in numpy, of one sequence without padding [n, d]."""

import math

import numpy as np


def layer_norm(x, layer, epsilon=1e-6):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    normal = (x - mean) / np.sqrt(variance + epsilon)
    return normal * layer.gamma.numpy() + layer.beta.numpy()


def dense(x, layer):
    product = x @ layer.kernel.numpy()
    return product if layer.bias is None else product + layer.bias.numpy()


def softmax(x):
    exponentials = np.exp(x - x.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def gelu(x):
    return 0.5 * x * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0)))


def attention(queries, sources, layer, num_heads, is_causal):
    """Of `Attention`'s weights, one query after the other."""
    query = dense(queries, layer.query)
    key, value = np.split(dense(sources, layer.key_value), 2, axis=1)
    width = query.shape[1] // num_heads
    mixed = np.zeros_like(query)
    for head in range(num_heads):
        part = slice(head * width, (head + 1) * width)
        for place in range(len(query)):
            seen = slice(0, place + 1 if is_causal else None)
            logits = key[seen, part] @ query[place, part] / math.sqrt(width)
            mixed[place, part] = softmax(logits) @ value[seen, part]
    return mixed


def post_norm_block(x, block, num_heads, is_causal, epsilon=1e-12, activation=gelu):
    """Of `PostNormBlock`'s weights."""
    mixed = attention(x, x, block.attention, num_heads, is_causal)
    x = x + dense(mixed, block.attention_output)
    x = layer_norm(x, block.attention_norm, epsilon)
    x = x + dense(activation(dense(x, block.expand)), block.contract)
    return layer_norm(x, block.feed_forward_norm, epsilon)
