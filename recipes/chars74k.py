"""The closing project of many courses: `lesson` on handwritten characters, 62 classes, writers kept apart.

    striate train chars74k_hnd.zip --model lesson --epochs 40 --set size=32 --set batch_size=64 \
        --group-from '-(\\d+)\\.png' --splits groups.csv --out runs/apart
    striate evaluate runs/apart

Each of 55 people wrote every character once (de Campos et al. 2009); whoever splits the pictures at random tests on
writers that were trained on. `groups.csv` is a table that `recipes.cuts` writes: 70 % of the writers to train on, 15 %
to validate, 15 % for the test, by the seed. Many of the 62 classes differ in size alone (0, O and o), so some of the
errors cannot be helped. The number of epochs was chosen on the validation writers of another split of seed 0, some of
whom are test writers here.
"""

from typing import Any

from recipes.cuts import shared_out
from recipes.entry import Entry
from recipes.promise import Figure, Promise
from recipes.step import Step

WRITER = r"-(\d+)\.png"
SIZE = 32
SHARES = (0.7, 0.15, 0.15)
SETTINGS: dict[str, Any] = {"model": "lesson", "epochs": 40, "size": SIZE, "batch_size": 64}
SMOKE = {"batch_size": 32}
PROMISE = Promise(
    log_sha256="9c588cb6bc30a69d3887f9f72e4dcf80a220fdf9e1d4ac431b09e6f4618c19c1",
    accuracy={
        "apart": Figure(0.86559, 0.83669, 0.89516, 3, (0.8016, 0.91915), 496),
    },
    cost={
        "apart": 7_732_276_531_200,
    },
)
ENTRY = Entry(
    title="lesson on handwritten characters, writers apart",
    steps=(
        Step(
            name="apart",
            source="chars74k_hnd.zip",
            settings=SETTINGS,
            smoke=SMOKE,
            group_from=WRITER,
            cut=shared_out(group_from=WRITER, size=SIZE, shares=SHARES),
        ),
    ),
    promise=PROMISE,
)
