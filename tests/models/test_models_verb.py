"""`striate models NAME`: the table, the JSON object and the drawing."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from doors import striate_here


def test_the_table_says_what_the_paper_says() -> None:
    shown = striate_here("models", "googlenet2014", "--input", "3x224x224").out
    assert "6,998,552 parameters, all of them trainable; 6,379,728 more in auxiliary heads" in shown
    assert "\nWhere it departs from the paper:\n- " in shown
    assert "\nWhere the paper disagrees with itself or with practice:\n- Table 1 gives conv1 2.7K" in shown


def test_json_has_memory_and_remarks() -> None:
    shown = json.loads(striate_here("models", "resnet18_small", "--json").out)
    assert shown["input_shape"] == [3, 32, 32]
    assert shown["activation_bytes"] == sum(row["activation_bytes"] for row in shown["rows"])
    assert shown["departures"]
    assert shown["disagreements"]


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_a_drawing_is_written_beside_the_table(tmp_path: Path, extra: list[str]) -> None:
    path = tmp_path / "network.svg"
    drawn = striate_here("models", "alexnet", "--draw", path, *extra)
    assert drawn.out == striate_here("models", "alexnet", *extra).out
    assert ElementTree.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_a_drawing_needs_a_network_and_a_folder(tmp_path: Path) -> None:
    assert striate_here("models", "--draw", tmp_path / "x.svg").code == 2
    path = tmp_path / "none" / "x.svg"
    refused = striate_here("models", "lenet5", "--draw", path)
    assert refused.code == 2
    assert "the drawing could not be written (No such file or directory)" in " ".join(refused.err.split())


def test_too_small_an_input_names_the_layer_and_the_size() -> None:
    refused = striate_here("models", "vgg16", "--input", "3x16x16")
    assert refused.code == 2
    words = " ".join(refused.err.split())
    assert "layer pool5 does not fit the 512 × 1 × 1 that reaches it" in words
    assert "the smallest square image it takes is 32 × 32" in words
