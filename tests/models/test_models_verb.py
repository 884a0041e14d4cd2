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


def test_changes_are_seen_in_the_table() -> None:
    shown = striate_here("models", "lenet5", "--set", "activation=relu", "--set", "batch_norm = true").out
    assert "\nChanged: activation=relu, batch_norm = true. Layers keep their names.\n" in shown
    assert "· 61,990 parameters" in shown
    assert "c1 conv_norm batch normalisation 6 × 28 × 28 12" in " ".join(shown.split())
    assert "c1 tanh ReLU" in " ".join(shown.split())
    assert "Changed" not in striate_here("models", "lenet5").out


def test_changes_are_in_json_and_in_the_drawing(tmp_path: Path) -> None:
    extra = ("--set", "head=mlp", "--set", "overlapping=true", "--json", "--draw", tmp_path / "x.svg")
    shown = json.loads(striate_here("models", "lesson", *extra).out)
    assert shown["changes"] == ["head=mlp", "overlapping=true"]
    assert [row["layer"] for row in shown["rows"]][-4:] == ["hidden", "relu", "dropout", "output"]
    assert (tmp_path / "x.svg").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("resnet20", "--set", "overlapping=true"),
            "resnet20 cannot be changed so: it has no max or average pooling by windows of 2 in steps of 2 to make"
            " overlapping; leave overlapping out.",
        ),
        (
            ("lenet5", "--set", "epochs=3"),
            "--set epochs=3: epochs changes how a network is trained, not the network; allowed here: head,"
            " activation, batch_norm, response_norm, overlapping, width.",
        ),
        (("lenet5", "--set", "bach_norm=true"), "Unknown recipe field 'bach_norm': did you mean batch_norm?"),
        (
            ("lenet5", "--set", "activation=gelu"),
            "Recipe field activation = 'gelu': Input should be 'own', 'relu',",
        ),
        (("lenet5", "--set", "head"), "--set head: expected field=value"),
        (("--set", "head=mlp"), "--set needs the name of a network, for example: striate models lenet5."),
    ],
)
def test_changes_that_cannot_be_are_refused(words: tuple[str, ...], said: str) -> None:
    outcome = striate_here("models", *words)
    assert outcome.code == 2
    assert said in " ".join(outcome.err.split())
    assert outcome.out == ""
