"""A tiny export, and a model server process that serves it."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.export.check_requests import check_requests
from emkd_tf.export.signatures import Retriever
from emkd_tf.export.warmup import write_warm_up
from emkd_tf.retrieval.recommend import VectorRecommender
from emkd_tf.serving.grpc_client import GrpcClient
from emkd_tf.serving.rest_client import RestClient
from emkd_tf.training.setup import build_model

K = 5
MAX_BATCH_SIZE = 4
# Both clients honour a proxy of the environment; loopback needs none.
os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"


@dataclasses.dataclass(frozen=True)
class Served:
    """A model on a server, and the live one it was exported from.

    Attributes:
        addresses: "host:port" by protocol.
        folder: of the exported version.
        separator: of its joined histories.
    """

    addresses: dict[str, str]
    folder: Path
    separator: str
    live: VectorRecommender


class Echo(tf.Module):
    """A model of another program: gives back what it gets, of every type."""

    TYPES = (tf.int32, tf.int64, tf.float32, tf.bool, tf.string)

    @tf.function(input_signature=[tf.TensorSpec([None], t, t.name) for t in TYPES])
    def echo(self, *inputs):
        return {t.name: tensor for t, tensor in zip(self.TYPES, inputs, strict=True)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "values")])
    def one_output(self, values):
        return {"doubled": 2 * values}


@pytest.fixture(scope="session")
def served(tiny_log, tiny_base, tmp_path_factory):
    """`tiny` served as it is, `batched` the same with the server's batching."""
    root = tmp_path_factory.mktemp("served")
    values = {"dataset": "tiny", "interactions": str(tiny_log)}
    config = from_flat({**tiny_base, **values, "cache_dir": str(root / "cache")})
    histories = prepare(config.data)
    model = build_model(config, histories)
    for network in model.towers:
        bias = np.random.default_rng(1).normal(size=network.item_bias.shape)
        network.item_bias.assign(bias)
    live = VectorRecommender(model.ensemble, histories)
    vocabulary = histories.folder / "item_ids.txt"
    retriever = Retriever(
        model.ensemble, vocabulary, live.popularity, K, live.separator
    )
    folder = root / "tiny" / "3"
    signatures = retriever.functions()
    tf.saved_model.save(retriever, str(folder), signatures=signatures)
    write_warm_up(folder, "tiny", check_requests(live, histories, K))
    echo = Echo()
    functions = {"echo": echo.echo, "one_output": echo.one_output}
    tf.saved_model.save(echo, str(root / "echo" / "1"), signatures=functions)
    models = {
        "tiny": {"base_path": str(folder.parent)},
        "batched": {"base_path": str(folder.parent), "max_batch_size": MAX_BATCH_SIZE},
        "echo": {"base_path": str(root / "echo")},
    }
    program = str(Path(__file__).with_name("model_server"))
    with subprocess.Popen(
        [sys.executable, program, json.dumps(models)],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        ready = server.stdout.readline()
        assert ready, "the model server ended before it was ready; see its messages"
        addresses = {key: f"127.0.0.1:{p}" for key, p in json.loads(ready).items()}
        yield Served(addresses, folder, live.separator, live)
        # Leaving closes its standard input, with which it ends.


CLIENTS = {"grpc": GrpcClient, "rest": RestClient}


@pytest.fixture(params=CLIENTS)
def connect(request, served):
    """Opens clients of one protocol: connect(model="tiny", **options)."""
    opened = []

    def connect(model="tiny", address=served.addresses[request.param], **options):
        opened.append(CLIENTS[request.param](address, model, **options))
        return opened[-1]

    yield connect
    for client in opened:
        client.close()
