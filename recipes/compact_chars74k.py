"""`compact` on handwritten characters, 62 classes, writers kept apart, as `chars74k` has it for `lesson`.

    striate train chars74k_hnd.zip --epochs 40 --set size=32 --set batch_size=64 \
        --group-from '-(\\d+)\\.png' --splits groups.csv --out runs/apart
    striate evaluate runs/apart

The same writers in each part, and as many epochs.
"""

from typing import Any

from recipes.chars74k import ENTRY as LESSON
from recipes.entry import Entry
from recipes.promise import Figure, Promise
from recipes.step import Step

(STEP,) = LESSON.steps
SETTINGS: dict[str, Any] = {name: value for name, value in STEP.settings.items() if name != "model"}
PROMISE = Promise(
    log_sha256="762eafe5d27ef6b24ed509ab6fa312de9db09aeef4fa9e3db2cbbf4b974b1934",
    accuracy={
        "apart": Figure(0.86559, 0.84274, 0.8871, 3, (0.69892, 0.93266), 496),
    },
    cost={
        "apart": 3_125_092_838_400,
    },
)
ENTRY = Entry(
    title="compact on handwritten characters, writers apart",
    steps=(
        Step(
            name="apart",
            source=STEP.source,
            settings=SETTINGS,
            smoke=STEP.smoke,
            group_from=STEP.group_from,
            cut=STEP.cut,
        ),
    ),
    promise=PROMISE,
)
