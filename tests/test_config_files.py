"""The files of configs/ and files of the user's own."""

import pytest

from emkd_tf.config import from_flat
from emkd_tf.config_files import CONFIGS_DIR, layered, read_yaml
from emkd_tf.errors import InputError


def test_every_file_and_every_preset_loads():
    files = sorted(CONFIGS_DIR.glob("*.yaml"))
    assert [f.stem for f in files] == ["beauty", "ml-1m", "own", "sample", "toys"]
    presets = 0
    for file in files:
        from_flat(layered(file.stem, None, []))
        for preset in read_yaml(file)["presets"]:
            from_flat(layered(file.stem, preset, []))
            presets += 1
    assert presets == 6
    assert from_flat(layered("ml-1m", None, [])).objective.temperature == 1.0
    assert from_flat(layered("beauty", "cpu", [])).model.hidden_units == 64


def write(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    return path


BAD_FILES = {
    "key: [1": "line 1 is not valid YAML|line 2 is not valid YAML",
    "- a\n- b\n": "must hold `key: value` lines",
    "num_viws: 3\n": "unknown key `num_viws`. Did you mean `num_views`",
    "x: !!python/object/apply:os.system ['touch /tmp/emkd-was-here']": "not valid YAML",
}


@pytest.mark.parametrize("text", BAD_FILES)
def test_a_bad_file_is_one_line(tmp_path, text):
    with pytest.raises(InputError, match=BAD_FILES[text]) as caught:
        layered("sample", None, [write(tmp_path, text)])
    assert "c.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_and_presets(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        layered("sample", None, [tmp_path / "none.yaml"])
    with pytest.raises(InputError, match=r"not in sample\.yaml. Did you mean `smoke`"):
        layered("sample", "smok", [])


def test_later_files_win(tmp_path):
    first = write(tmp_path, "epochs: 3\nseed: 5\n")
    second = tmp_path / "d.yaml"
    second.write_text("epochs: 4\n")
    merged = layered("sample", "smoke", [first, second])
    assert (merged["epochs"], merged["seed"], merged["hidden_units"]) == (4, 5, 16)
