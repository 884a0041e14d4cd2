"""Each plain finding on a table in which it is planted, and on one in which it is not."""

from dataclasses import replace

import numpy as np
import pytest
from made_audits import material, noise, packed

from striate.data.audit import audit_images
from striate.data.audit.class_counts import class_counts
from striate.data.audit.class_names import clashing, class_names
from striate.data.audit.duplicates import duplicates, repeated
from striate.data.audit.finding import Case, Cases
from striate.data.audit.flat import flat
from striate.data.audit.groups import groups
from striate.data.audit.kinds import kinds
from striate.data.audit.unreadable import unreadable


def by_kind(findings):
    return {finding.kind: finding for finding in findings}


def with_facts(table, **columns):
    facts = table.facts.copy()
    for name, values in columns.items():
        facts[name] = values
    return replace(table, facts=facts)


def test_unreadable_files_are_named_with_their_reasons():
    table = material(noise(6), ["cat", "dog"] * 3)
    source = table.images.source
    source.labels[0] = "owl"
    bad = ((source.names[0], "it is cut short"), (source.names[1], "it is cut short"))
    finding = unreadable(replace(table, images=replace(table.images, unreadable=bad)))[0]
    assert finding.severity == "error"
    assert finding.sentence == "2 files cannot be read. 1 class lost every image: owl."
    assert [(case.label, case.detail) for case in finding.cases] == [("owl", bad[0][1]), ("dog", bad[1][1])]
    assert finding.numbers["reasons"] == {"it is cut short": 2}
    assert unreadable(table) == []


@pytest.mark.parametrize("seed", range(3))
def test_repeated_pictures_are_those_that_a_loop_finds(seed):
    pictures = np.random.default_rng(seed).integers(0, 30, 40)
    found = repeated(pictures)
    expected = [np.flatnonzero(pictures == one).tolist() for one in range(30)]
    expected = [members for members in expected if len(members) > 1]
    sets = [found.members[found.sets == one].tolist() for one in range(int(found.sets.max(initial=-1)) + 1)]
    assert sets == expected
    labels = np.random.default_rng(seed).integers(0, 2, 40)
    assert found.differing(labels).tolist() == [len(set(labels[members])) > 1 for members in expected]


def test_duplicates_are_told_apart_by_what_they_do():
    pixels = noise(10)
    pixels[[1, 2]] = pixels[0]  # a conflict and a leak
    pixels[5] = pixels[4]  # a leak
    pixels[7] = pixels[6]  # a copy
    labels = ["cat", "dog", "cat", "dog", "cat", "cat", "dog", "dog", "cat", "dog"]
    splits = ["train", "train", "test", "train", "train", "test", "train", "train", "test", "test"]
    found = by_kind(duplicates(material(pixels, labels, splits)))
    conflict = {(case.image, case.partner) for case in found["duplicates-across-classes"].cases}
    leak = {(case.image, case.partner) for case in found["duplicates-across-splits"].cases}
    copy = {(case.image, case.partner) for case in found["duplicates-within-class"].cases}
    assert conflict == {(0, 1), (1, 0), (2, 1)}
    assert leak == {(0, 2), (1, 2), (2, 0), (4, 5), (5, 4)}
    assert copy == {(7, 6)}
    assert [finding.severity for finding in found.values()] == ["error", "error", "warning"]
    assert duplicates(material(noise(4), ["a", "b"] * 2)) == []


def test_groups_across_splits_are_an_error_and_lone_images_are_told():
    table = material(
        noise(8),
        ["a", "b"] * 4,
        ["train", "test", "train", "train", "test", "train", "train", "test"],
        ["p1", "p1", "p2", "p2", "p3", "p3", "", ""],
    )
    found = by_kind(groups(table))
    leak = found["groups-across-splits"]
    assert (leak.severity, leak.count) == ("error", 2)
    assert [(case.image, case.other) for case in leak.cases] == [
        (0, "group p1"), (1, "group p1"), (4, "group p3"), (5, "group p3"),
    ]  # fmt: skip
    assert [case.image for case in found["without-group"].cases] == [6, 7]
    assert found["groups"].sentence == "3 groups of 2 to 2 images; 0 of them have images of one class only."
    assert groups(material(noise(2), ["a", "b"])) == []
    unsplit = replace(table, images=replace(table.images, splits=np.full(8, "", "U10")))
    assert "groups-across-splits" not in by_kind(groups(unsplit))


def test_class_names_clash_by_case_spaces_and_unicode_form():
    pairs = [
        ("Cat", "cat "),
        ("owl", "o\u200bwl"),
        ("caf\u00e9", "cafe\u0301"),
        ("A", "a"),
        ("K", "\u212a"),
        ("dog-1", "dog_1"),
    ]
    assert clashing((*(name for pair in pairs for name in pair), "--", "__", "dog 2")) == pairs
    table = material(noise(4), ["Cat", "cat", "A", "a"])
    found = class_names(table)
    assert [(finding.severity, finding.numbers["names"]) for finding in found] == [
        ("warning", [["Cat", "cat"]]),
        ("note", [["A", "a"]]),
    ]
    assert class_names(material(noise(2), ["a", "b"])) == []


def test_small_and_uneven_classes_are_told():
    pixels = noise(403)
    pixels[402] = pixels[401]
    found = by_kind(class_counts(material(pixels, ["many"] * 380 + ["few"] * 20 + ["tiny"] * 3)))
    assert found["class-too-small"].numbers["classes"] == {"tiny": 2}  # distinct pictures
    assert found["class-small"].numbers["classes"] == {"tiny": 3, "few": 20}
    assert found["imbalance"].sentence == "many has 380 images, tiny 3: 127 times as many."
    assert set(by_kind(class_counts(material(noise(80), ["a", "b"] * 40)))) == {"counts"}


def test_flat_pictures_are_found_at_every_depth():
    for dtype, factor in (("uint8", 1), ("uint16", 16)):
        pixels = noise(12).astype(dtype) * np.array(factor, dtype)
        pixels[0] = 77 * factor
        pixels[1] = np.where(pixels[1] > 128 * factor, 2 * factor, 0)
        pixels[2] = (255 - (pixels[2] > 128 * factor)) * factor
        pixels[3] = (100 + (pixels[3] > 128 * factor)) * factor
        found = by_kind(flat(material(pixels, ["a", "b"] * 6)))
        assert {kind: [case.image for case in one.cases] for kind, one in found.items()} == {
            "constant": [0],
            "nearly-black": [1],
            "nearly-white": [2],
            "faint": [3],
        }
    assert flat(material(noise(4), ["a", "b"] * 2)) == []


def test_hounsfield_units_are_not_taken_for_black():
    pixels = (noise(6).astype(np.int16) * 4 - 1000).astype(np.int16)
    pixels[0] = -1000
    found = by_kind(flat(material(pixels, ["a", "b"] * 3)))
    assert {kind: one.count for kind, one in found.items()} == {"constant": 1}


def test_files_are_told_by_kind_size_shape_and_depth():
    table = material(noise(6), ["a", "b"] * 3)
    assert kinds(table) == []
    changed = with_facts(
        table,
        format=["PNG"] * 5 + ["JPEG"],
        height=[16, 16, 16, 16, 16, 60],
        width=[16, 16, 16, 16, 16, 20],
        depth="uint16",
        bits=16,
        high=[1, 2, 3, 4, 4095, 6],
    )
    source = changed.images.source
    source.names[:] = [f"{number}.png" for number in range(6)]
    found = by_kind(kinds(changed))
    assert [case.detail for case in found["content-mismatch"].cases] == ["its content is JPEG"]
    assert found["mixed-kinds"].count == 2
    assert found["mixed-sizes"].numbers["sizes"] == {"16×16": 5, "60×20": 1}
    assert [case.detail for case in found["extreme-shape"].cases] == ["3.0 times as long as wide"]
    assert found["unused-depth"].numbers["bits_used"] == 12


def test_an_audit_of_nothing_readable_still_speaks():
    images, pack = packed(noise(4), ["a", "b"] * 2)
    bad = tuple((name, "it is cut short") for name in images.names)
    empty = replace(images.select(np.zeros(4, bool)), unreadable=bad)
    audit = audit_images(empty, pack)
    assert audit.severity == "error"
    assert "2 classes lost every image: a, b." in audit.to_text()
    assert "Nothing" not in audit.to_html().split("</header>")[0]


def test_cases_are_put_into_words_only_when_they_are_read():
    asked = []

    def word(image):
        asked.append(image)
        return Case(f"{image}.png", "cat", "")

    cases = Cases(np.array([3, 5, 8]), word)
    assert len(cases) == 3
    assert asked == []
    assert [case.source for case in cases[1:]] == ["5.png", "8.png"]
    assert cases[-1].source == "8.png"
