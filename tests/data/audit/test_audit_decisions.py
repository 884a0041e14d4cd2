"""The table of an audit goes through a spreadsheet and back: what is dropped, what is relabelled, what is refused."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_audits import noise, packed

from striate.data import load_images
from striate.data.audit import apply_decisions, audit_images
from striate.data.audit.table import COLUMNS, guarded, plain
from striate.errors import SourceError


@pytest.fixture(scope="module")
def audited():
    pixels = noise(60)
    pixels[50:55] = pixels[:5]
    return packed(pixels, ["cat", "dog"] * 30)


def edited(images, pack, decide):
    """The csv of an audit, each row changed by `decide`."""
    text = audit_images(images, pack, quick=True).csv().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for number, row in enumerate(rows):
        decide(number, row)
    return rows


def written(rows, separator=",", end="\n", encoding="utf-8"):
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, delimiter=separator, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def decide(number, row):
    if number == 0:
        row["action"] = " Drop "
    elif number == 1:
        row.update(action="RELABEL", new_label="owl")


@pytest.mark.parametrize(
    ("separator", "end", "encoding"),
    [(",", "\n", "utf-8"), (";", "\r\n", "utf-8-sig"), ("\t", "\r\n", "utf-16"), (";", "\r\n", "cp1252")],
)
def test_a_decided_table_is_applied_however_a_spreadsheet_saved_it(audited, separator, end, encoding):
    images, pack = audited
    rows = edited(images, pack, decide)
    rows[2]["detail"] = 'Zoë said: "keep,\nplease;"'
    decided = apply_decisions(images, written(rows, separator, end, encoding))
    assert len(decided) == 59
    assert decided.classes == ("cat", "dog", "owl")
    assert rows[0]["source"] not in decided.names
    assert dict(decided.dropped)[rows[0]["source"]] == "dropped by the audit"
    label = decided.classes[decided.labels[decided.names.index(rows[1]["source"])]]
    assert label == "owl"
    assert decided.notes[-1] == "audit.csv: 1 image dropped, 1 image relabelled"
    assert decided.digests is not None
    assert len(decided.digests) == 59


def test_an_undecided_table_changes_nothing(audited, tmp_path):
    images, pack = audited
    audit_images(images, pack, quick=True).write(tmp_path)
    decided = apply_decisions(images, tmp_path / "audit.csv")
    assert np.array_equal(decided.labels, images.labels)
    assert decided.classes == images.classes
    assert decided.notes[-1].endswith("0 images dropped, 0 images relabelled")


def test_a_class_without_images_left_is_no_class(audited):
    images, _ = audited
    lines = ["source,action,new_label", *(f"{name},relabel,dog" for name in images.names[::2])]
    decided = apply_decisions(images, "\n".join(lines).encode())
    assert decided.classes == ("dog",)
    assert set(decided.labels.tolist()) == {0}


def test_the_first_line_may_name_the_separator(audited):
    images, _ = audited
    decided = apply_decisions(images, f"sep=;\r\nsource;action\r\n{images.names[0]};drop\r\n".encode())
    assert len(decided) == 59


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["source,label", "x,y"], "has no column action; its first line must be finding,severity,source"),
        (
            ["source,action", "{0},dorp"],
            "line 2: unknown action 'dorp'; did you mean drop? Allowed: drop, relabel.",
        ),
        (["source,action", "", "nobody.png,drop"], "there is no image 'nobody.png' in array"),
        (
            ["source,action,new_label", "{0},relabel,"],
            "line 2: relabel needs the class in the column new_label",
        ),
        (["source,action,new_label", "{0},,owl"], "line 2: there is a new_label 'owl' but no action"),
        (["source,action,new_label", "{0},drop,owl"], "line 2: drop needs no new_label, but there is 'owl'"),
        (
            ["source,action,new_label", "{0},drop,", "{1},drop,", "{0},relabel,owl"],
            "lines 2 and 4 contradict each other: 'array/0001' is to drop and to relabel as owl; keep one",
        ),
        (
            ["source,action,new_label", "{0},relabel,owl", "{0},relabel,cat"],
            "relabel as owl and to relabel as cat",
        ),
        ([], "has no column source and no column action"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(audited, lines, words):
    images, _ = audited
    text = "\n".join(lines).format(*images.names)
    with pytest.raises(SourceError) as refused:
        apply_decisions(images, text.encode())
    assert words in str(refused.value)


def test_the_same_decision_twice_is_one(audited):
    images, _ = audited
    text = f"source,action\n{images.names[0]},drop\n{images.names[0]},drop\n"
    assert len(apply_decisions(images, text.encode())) == 59


def test_dropping_everything_is_refused(audited):
    images, _ = audited
    text = "source,action\n" + "".join(f"{name},drop\n" for name in images.names)
    with pytest.raises(SourceError, match="drops all 60 images; nothing would be left"):
        apply_decisions(images, text.encode())


def test_an_unreadable_file_may_be_dropped_and_not_relabelled(audited):
    images = replace(audited[0], unreadable=(("bad.png", "it is cut short"),))
    assert len(apply_decisions(images, b"source,action\nbad.png,drop\n")) == 60
    with pytest.raises(SourceError, match=r"line 2: 'bad\.png' cannot be read or was dropped before"):
        apply_decisions(images, b"source,action,new_label\nbad.png,relabel,cat\n")


def test_a_missing_file_is_said_to_be_missing(audited, tmp_path):
    with pytest.raises(SourceError, match=r"none.csv cannot be read: No such file"):
        apply_decisions(audited[0], tmp_path / "none.csv")


def test_other_names_lead_back_to_the_same_images(audited):
    images, pack = audited
    audit = audit_images(images, pack, quick=True, naming=lambda name: f"id{hash(name) % 997}")
    shown = audit.findings[0].cases[0].source
    assert shown.startswith("id")
    assert b"array/" not in audit.csv()
    text = f"source,action\n{shown},drop\n".encode()
    assert len(apply_decisions(images, text, naming=lambda name: f"id{hash(name) % 997}")) == 59


@given(st.text())
def test_a_guarded_cell_is_no_formula_and_reads_back(cell):
    assert not guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert plain(guarded(cell)) == cell


def test_names_that_look_like_formulas_survive_the_round_trip(tmp_path):
    from PIL import Image

    for label in ("=cmd|' /C calc'!A0", "@dog"):
        (tmp_path / "set" / label).mkdir(parents=True)
        for number in range(4):
            Image.fromarray(noise(1, seed=number)[0, ..., 0]).save(
                tmp_path / "set" / label / f"-{number}.png"
            )
    images, _, pack = load_images(tmp_path / "set").packed()
    audit = audit_images(images, pack, quick=True)
    text = audit.csv().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    rows[0]["action"] = "drop"
    decided = apply_decisions(images, written(rows))
    assert len(decided) == len(images) - 1
    assert rows[0]["source"].removeprefix("'") not in decided.names
