"""The closing project of many courses: `lesson` on handwritten characters, 62 classes, writers kept apart.

    striate train chars74k_hnd.zip --model lesson --epochs 40 --set size=32 --set batch_size=64 \
        --group-from '-(\\d+)\\.png' --out runs/apart
    striate train chars74k_hnd.zip --model lesson --epochs 40 --set size=32 --set batch_size=64 --out runs/mixed
    striate evaluate runs/apart
    striate evaluate runs/mixed

Each of 55 people wrote every character once (de Campos et al. 2009). Whoever splits the pictures at random tests on
writers that were trained on; `mixed` is that careless verdict, `apart` the honest one. Many of the 62 classes differ
in size alone (0, O and o), so some of the errors cannot be helped. The number of epochs was chosen on the validation
writers of seed 0, some of whom are test writers of other seeds.
"""

from typing import Any

from recipes.entry import Entry, NotRun
from recipes.promise import Promise
from recipes.step import Step

WRITER = r"-(\d+)\.png"
SETTINGS: dict[str, Any] = {"model": "lesson", "epochs": 40, "size": 32, "batch_size": 64}
SMOKE = {"size": 16, "batch_size": 32}
PROMISE = Promise(cost={"apart": 7_534_013_030_400, "mixed": 7_623_551_385_600})
ENTRY = Entry(
    title="lesson on handwritten characters, writers apart and mixed",
    steps=(
        Step(name="apart", source="chars74k_hnd.zip", settings=SETTINGS, smoke=SMOKE, group_from=WRITER),
        Step(name="mixed", source="chars74k_hnd.zip", settings=SETTINGS, smoke=SMOKE),
    ),
    promise=PROMISE,
    not_run={
        "apart": NotRun("lesson", images=2_356, classes=62, input_shape=(3, 32, 32)),
        "mixed": NotRun("lesson", images=2_384, classes=62, input_shape=(3, 32, 32)),
    },
)
