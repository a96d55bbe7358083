"""Downloads from a real HTTP server on this machine, and without one."""

import functools
import hashlib
import http.server
import socket
import threading

import pytest

from emkd_tf.data.download import RemoteFile, cache_dir, data_dir, fetch
from emkd_tf.errors import DataUnavailableError, InputError

CONTENT = b"1 2 3 4\n" * 1000


class Handler(http.server.SimpleHTTPRequestHandler):
    requests = 0

    def do_GET(self):
        type(self).requests += 1
        super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    """Serves `whole` and `truncated`; yields its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "whole").write_bytes(CONTENT)
    (folder / "truncated").write_bytes(CONTENT[:-100])
    Handler.requests = 0
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def remote(url):
    return RemoteFile("data.txt", url, hashlib.sha256(CONTENT).hexdigest())


def test_fetches_verifies_and_does_not_fetch_again(server, tmp_path):
    for _ in range(2):
        path = fetch(remote(f"{server}/whole"), tmp_path / "raw")
        assert path == tmp_path / "raw" / "data.txt"
        assert path.read_bytes() == CONTENT
    assert Handler.requests == 1


def test_a_file_placed_by_hand_needs_no_server(tmp_path):
    (tmp_path / "data.txt").write_bytes(CONTENT)
    assert fetch(remote("http://127.0.0.1:9/x"), tmp_path).read_bytes() == CONTENT


def test_a_truncated_download_is_refused_and_not_kept(server, tmp_path):
    with pytest.raises(InputError, match="truncated or changed"):
        fetch(remote(f"{server}/truncated"), tmp_path / "raw")
    assert not any((tmp_path / "raw").glob("*"))


def test_a_truncated_file_in_the_folder_is_refused(tmp_path):
    (tmp_path / "data.txt").write_bytes(CONTENT[:-1])
    with pytest.raises(InputError, match=r"data\.txt is truncated.*delete it"):
        fetch(remote("http://127.0.0.1:9/x"), tmp_path)


def test_no_network_names_the_address_and_the_folder(server, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/data.txt"
    for address in (url, f"{server}/no-such-file"):
        with pytest.raises(DataUnavailableError) as caught:
            fetch(remote(address), tmp_path / "raw")
        assert caught.value.exit_code == 3
        for part in (address, str(tmp_path / "raw"), "data.txt"):
            assert part in str(caught.value)
        assert "\n" not in str(caught.value)


def test_folders_argument_then_environment_then_default(tmp_path, monkeypatch):
    monkeypatch.delenv("EMKD_CACHE_DIR", raising=False)
    monkeypatch.delenv("EMKD_DATA_DIR", raising=False)
    assert cache_dir(None).name == "emkd-tf"
    assert data_dir(None, tmp_path) == tmp_path / "raw"
    monkeypatch.setenv("EMKD_CACHE_DIR", "/c")
    monkeypatch.setenv("EMKD_DATA_DIR", "/d")
    assert (str(cache_dir(None)), str(data_dir(None, tmp_path))) == ("/c", "/d")
    assert (str(cache_dir("/e")), str(data_dir("/f", tmp_path))) == ("/e", "/f")
