"""Draw the house: rooms in the order of the table of imports, and between them the imports that there are.

The table is that of tests/test_arrows.py, and the arrows are read from the source: the drawing cannot grow old.
"""

import ast
import html
from collections import Counter
from pathlib import Path

from staging import ROOT

SOURCE = ROOT / "src" / "striate"
GROUND = ("shapes", "errors", "files", "drawing")
DOORS = ("cli", "serving", "recipes", "bench", "lessons")
SAYS = {
    "pixels": "one image as an array",
    "data": "many images",
    "models": "networks",
    "training": "recipe, loop, checkpoint",
    "evaluation": "metrics, intervals, report",
    "explanation": "maps and their checks",
    "run": "a saved run",
    "export": "ONNX and its parity",
    "classifier": "fit, evaluate, explain",
    "cli": "the command line",
    "serving": "HTTP and the page",
    "recipes": "promised numbers",
    "bench": "measured figures",
    "lessons": "worked practices",
}
SLOTS = {
    "export": 0.25,
    "run": 3.75,
    "data": 0.75,
    "training": 2,
    "explanation": 3.25,
    "pixels": 0,
    "evaluation": 1.375,
    "models": 4,
}
"""Columns in which rooms stand, so that arrows pass between them; a room that is not named here is centred."""
WIDE, HIGH, GAP, RISE, EDGE = 196, 68, 16, 64, 16


def table_of_imports() -> dict[str, set[str]]:
    """Who may import whom: the assignment to ALLOWED in tests/test_arrows.py, evaluated as that file does."""
    tree = ast.parse((ROOT / "tests" / "test_arrows.py").read_text(encoding="utf8"))
    wanted = {"OPEN_TO_ALL", "BELOW_CLASSIFIER", "ALLOWED"}
    known: dict[str, object] = {}
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id in wanted:
            known[target.id] = eval(compile(ast.Expression(node.value), "table", "eval"), {"set": set}, known)
    return known["ALLOWED"]  # type: ignore[return-value]


def imports() -> Counter[tuple[str, str]]:
    """How many files of a room import another room, for every pair of rooms."""
    found: Counter[tuple[str, str]] = Counter()
    rooms = {path.stem if path.is_file() else path.name for path in SOURCE.iterdir()}
    for path in sorted(SOURCE.rglob("*.py")):
        inside = path.relative_to(SOURCE)
        room = inside.parts[0].removesuffix(".py")
        found.update({(room, other) for other in rooms_imported(path) & rooms if other != room})
    return found


def rooms_imported(path: Path) -> set[str]:
    """The rooms that a file imports from, at any depth of the file."""
    package = ["striate", *path.relative_to(SOURCE).parts[:-1]]
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, node.module] if node.module else base)
            names |= {stem, *(f"{stem}.{alias.name}" for alias in node.names)}
    return {name.split(".")[1] for name in names if name.startswith("striate.")}


def layers(allowed: dict[str, set[str]]) -> list[list[str]]:
    """Rooms from the ground up: each stands one layer above the highest that it may import."""
    inner = [room for room in allowed if room not in {*GROUND, *DOORS, "__init__", "__main__"}]
    below = {room: {name.split(".")[0] for name in allowed[room]} & set(inner) for room in inner}
    height: dict[str, int] = {}
    while len(height) < len(inner):
        ready = [room for room in inner if room not in height and below[room] <= set(height)]
        if not ready:
            raise SystemExit("The table of imports goes round in a circle.")
        height |= {room: 1 + max((height[name] for name in below[room]), default=-1) for room in ready}
    return [[room for room in inner if height[room] == level] for level in range(max(height.values()) + 1)]


def draw() -> str:
    """The house as SVG: arrows point from who imports to who is imported; colours follow the page's own."""
    levels, arrows = layers(table_of_imports()), imports()
    across = max(len(DOORS), *(len(level) for level in levels))
    width = 2 * EDGE + across * WIDE + (across - 1) * GAP
    rows = [list(DOORS), ["striate"], *reversed(levels), ["ground"]]
    places: dict[str, tuple[float, float]] = {}
    for number, row in enumerate(rows):
        first = (across - len(row)) / 2
        for place, room in enumerate(row):
            slot = SLOTS.get(room, first + place)
            places[room] = (EDGE + slot * (WIDE + GAP), EDGE + number * (HIGH + RISE))
    height = EDGE * 2 + len(rows) * HIGH + (len(rows) - 1) * RISE
    inner = {room for level in levels for room in level}
    counts = {pair: count for pair, count in arrows.items() if set(pair) <= inner}
    body = [
        arrow(places[a], places[b], f"{a} imports {b} in {n} files") for (a, b), n in sorted(counts.items())
    ]
    body += [
        arrow(places[door], (places[door][0], places["striate"][1]), f"{door} uses the root")
        for door in DOORS
    ]
    body += [
        arrow((places["classifier"][0], places["striate"][1]), places["classifier"], "names its public names")
    ]
    body += [box(*places[room], WIDE, room, SAYS.get(room, "")) for room in (*DOORS, *sorted(inner))]
    full = width - 2 * EDGE
    body.append(
        box(EDGE, places["striate"][1], full, "striate", "the package root: the public names, one by one")
    )
    body.append(
        box(EDGE, places["ground"][1], full, " · ".join(GROUND), "import nothing above; open to every room")
    )
    said = html.escape(in_words(counts))
    return (
        f'<div class="house" role="img" aria-label="{said}">'
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" aria-hidden="true">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0 8 4 0 8z"/></marker></defs>{"".join(body)}</svg></div>'
    )


def in_words(counts: dict[tuple[str, str], int]) -> str:
    """Who imports whom, for readers who do not see the drawing."""
    by_room = {room: sorted(b for a, b in counts if a == room) for room, _ in sorted(counts)}
    told = "; ".join(f"{room} imports {', '.join(others)}" for room, others in by_room.items())
    return f"Rooms and their imports, none of which points upwards: {told}. {', '.join(DOORS)} use the package root."


def arrow(start: tuple[float, float], end: tuple[float, float], said: str) -> str:
    """A curve from the lower edge of one box to the upper edge of another."""
    (x1, y1), (x2, y2) = start, end
    x1, y1, x2 = x1 + WIDE / 2, y1 + HIGH, x2 + WIDE / 2
    bend = (y2 - y1) / 2
    x2, x1 = (
        (x2 + (18 if x1 > x2 else -18 if x1 < x2 else 0)),
        x1 + (14 if x2 > x1 else -14 if x2 < x1 else 0),
    )
    path = f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2 - 1:g}"
    return f'<path class="arrow" d="{path}" marker-end="url(#tip)"><title>{html.escape(said)}</title></path>'


def box(x: float, y: float, width: float, name: str, says: str) -> str:
    """A room with its name and what it holds."""
    middle = x + width / 2
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{HIGH}" rx="4"/>'
        f'<text class="room" x="{middle:g}" y="{y + 28:g}">{html.escape(name)}</text>'
        f'<text x="{middle:g}" y="{y + 53:g}">{html.escape(says)}</text>'
    )
