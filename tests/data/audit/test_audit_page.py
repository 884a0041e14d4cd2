"""What an audit shows: text for a terminal, a page that cannot do harm, JSON; and how fast the quick one is."""

import json
import re
import time
from dataclasses import replace

import numpy as np
import pytest
from made_audits import noise, packed

from striate.data.audit import audit_images
from striate.data.audit.finding import SEVERITIES
from striate.data.images import Images
from striate.data.packing.facts import FACTS


@pytest.fixture(scope="module")
def audit():
    pixels = noise(160, side=8)
    pixels[100:150] = pixels[:50]
    pixels[151] = 0
    images, pack = packed(
        pixels, ["<script>alert(1)</script>", "owl"] * 79 + ["ow\u202e"] * 2, ["train"] * 100 + ["test"] * 60
    )
    source = images.source
    source.names[:] = [f'"><img src=x onerror=alert({number})>\n.png' for number in range(160)]
    source.location = "<b>set</b>"
    unreadable = (("<i>bad</i>.png", "it is cut short & done"),)
    return audit_images(replace(images, unreadable=unreadable), pack)


def test_findings_come_gravest_first(audit):
    order = [SEVERITIES.index(finding.severity) for finding in audit.findings]
    assert order == sorted(order)
    assert audit.severity == "error"
    assert audit.count("error") == sum(finding.severity == "error" for finding in audit.findings)


def test_the_page_shows_names_and_runs_none_of_them(audit):
    page = audit.to_html()
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "<b>set" not in page
    assert "<i>bad" not in page
    assert "&lt;i&gt;bad&lt;/i&gt;.png" in page
    assert "it is cut short &amp; done" in page
    assert "\u202e" not in page
    assert not re.search(r'(src|href)="(?!data:image/png;base64,|#)', page)


def test_the_page_shows_twenty_pictures_and_says_of_how_many(audit):
    page = audit.to_html()
    finding = audit.of_kind("duplicates-across-splits")
    assert len(finding.cases) == 100
    section = page.split("duplicates-across-splits</h2>")[1].split("</section>")[0]
    assert section.count("<figure") == 20
    assert section.count("<img") == 40
    assert "Shown: 20 of 100; audit.csv lists them all." in section


def test_the_text_has_a_line_a_finding_and_no_control_characters(audit):
    text = audit.to_text()
    for finding in audit.findings:
        assert f"{finding.severity:<10}{finding.kind}" in text
    assert "\u202e" not in text
    assert "\\n.png" in text
    assert max(len(line) for line in text.splitlines()) <= 120


def test_json_holds_every_case_and_no_other_kind_of_number(audit):
    loaded = json.loads(json.dumps(audit.to_dict(), allow_nan=False))
    for found, finding in zip(loaded["findings"], audit.findings, strict=True):
        assert found["finding"] == finding.kind
        assert len(found["images"]) == len(finding.cases)
    assert loaded["counts"]["train"]["<script>alert(1)</script>"] == 50
    assert loaded["facts"]["height"] == {"least": 8, "median": 8.0, "largest": 8}


def test_the_same_images_give_the_same_audit():
    images, pack = packed(noise(160, side=8), ["a", "b"] * 80)
    assert audit_images(images, pack).to_dict() == audit_images(images, pack).to_dict()


def test_progress_goes_up_to_its_end():
    images, pack = packed(noise(130, side=8), ["a", "b"] * 65)
    steps = []
    audit_images(images, pack, progress=lambda done, total: steps.append((done, total)))
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps[-1][0] == steps[-1][1]
    assert all(done <= total for done, total in steps)


@pytest.mark.slow
def test_a_million_images_are_audited_quickly():
    count = 1_000_000
    random = np.random.default_rng(0)
    digests = np.array([b"%032x" % number for number in random.integers(0, 10**12, count)], "S32")
    few, pack = packed(noise(4), ["a", "b"] * 2)
    few.source.names[:] = [f"c/{number}.png" for number in range(count)]
    images = Images(
        source=few.source,
        rows=np.arange(count),
        classes=tuple(f"class {number}" for number in range(100)),
        labels=random.integers(0, 100, count).astype(np.int32),
        splits=random.choice(np.array(["train", "test"], "U10"), count),
        digests=digests,
        groups=np.array([f"patient {number}" for number in random.integers(0, 20_000, count)]),
    )
    blank = np.zeros((count, 1, 1, 1), np.uint8)
    pack = replace(pack, pixels=blank, digests=digests, facts=np.zeros(count, FACTS))
    start = time.process_time()
    found = audit_images(images, pack, quick=True)
    assert time.process_time() - start < 6
    assert found.of_kind("groups-across-splits").count == 20_000
    found.to_text()
