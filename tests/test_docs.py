"""What README and docs say must be so."""

import re
from pathlib import Path

import striate

ROOT = Path(__file__).parents[1]


def test_the_guide_lists_every_field_of_the_recipe() -> None:
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf8")
    for name, field in striate.Recipe.model_fields.items():
        default = "none" if field.default is None else str(field.default)
        default = default.lower() if isinstance(field.default, bool) else default
        assert f"| `{name}` | {default} | {field.description} |" in guide


def test_links_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_public_names_are_all_there_and_no_others() -> None:
    assert sorted(striate.__all__) == sorted(striate.HOMES)
    for name in striate.__all__:
        assert getattr(striate, name) is not None
        assert name in dir(striate)
