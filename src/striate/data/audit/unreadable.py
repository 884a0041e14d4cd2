"""Files that no picture could be read from, each with the reason."""

from collections import Counter

from striate.data.audit.finding import Case, Finding, plural
from striate.data.audit.material import Material


def unreadable(material: Material) -> list[Finding]:
    """One finding for all unreadable files; an error where a class loses every image that it had."""
    failed = material.images.unreadable
    if not failed:
        return []
    labels = _labels(material, [name for name, _ in failed])
    cases = tuple(
        Case(material.naming(name), label, reason)
        for (name, reason), label in zip(failed, labels, strict=True)
    )
    reasons = Counter(reason for _, reason in failed)
    alive = {material.classes[label] for label in set(material.labels.tolist())}
    gone = sorted(set(labels) - alive - {""})
    sentence = f"{plural(len(failed), 'file')} cannot be read."
    if gone:
        sentence += f" {plural(len(gone), 'class', 'classes')} lost every image: {', '.join(gone[:5])}."
    return [
        Finding(
            kind="unreadable",
            severity="error" if gone else "warning",
            sentence=sentence,
            count=len(failed),
            unit="file",
            advice="They are left out of everything. Get them again from where they came, or remove them.",
            cases=cases,
            numbers={"reasons": dict(reasons.most_common(20)), "distinct_reasons": len(reasons)},
        )
    ]


def _labels(material: Material, names: list[str]) -> list[str]:
    source, wanted = material.images.source, set(names)
    if source.labels is None:
        return [""] * len(names)
    known = {name: label for name, label in zip(source.names, source.labels, strict=True) if name in wanted}
    return [known.get(name, "") for name in names]
