# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---
# %% [markdown]
# # 12. Transfer
#
# You will teach a network some classes from many images, and then give it other classes with few images each. Its
# stages are kept as they are (feature extraction), kept in part (frozen stages), or trained on (fine-tuning), and each
# way is compared with training from scratch: at equal epochs, and at equal cost in multiply-adds, the cost of the first
# training included. About 4 minutes on 2 cores; `--short` about 15 seconds. Needs: nothing but striate; CIFAR-10 is
# used where it is at hand. Images of your own need four classes or more.
# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from drawn import draw_shapes
from opening import open_lesson

import striate

lesson = open_lesson("12_transfer")
# %% [markdown]
# ## Two tasks from one source
#
# The classes are dealt out in turn: every second one is known, the others are new. Of the new classes there are few
# images to learn from. Where shapes are drawn, a painter makes one of each, so that no class knows a painter twice.
# %%
source = lesson.images("cifar10", "shapes")
if Path(source).name == "shapes":
    source = lesson.folder("hands")
    draw_shapes(source, each=1, painters=lesson.pick(500, 100))
images = striate.load_images(source).with_splits(seed=0)
chance = np.random.default_rng(0)
names = np.array(images.classes)[images.labels]


def part(classes: tuple[str, ...], split: str, each: int) -> striate.Images:
    """At most so many images of each of some classes, of one split, with these classes alone."""
    rows = [np.flatnonzero((names == name) & (images.splits == split)) for name in classes]
    chosen = np.sort(np.concatenate([chance.permutation(mine)[:each] for mine in rows]))
    return images.select(chosen).relabelled(names[chosen].tolist())


known, new = images.classes[::2], images.classes[1::2]
FEW = lesson.pick(20, 10)
first = {split: part(known, split, lesson.pick(1000, 60)) for split in ("train", "validation")}
few = {split: part(new, split, FEW) for split in ("train", "validation")} | {"test": part(new, "test", 500)}
print(f"known: {', '.join(known)}; {len(first['train']):,} images")
print(
    f"new:   {', '.join(new)}; {len(few['train'])} images to learn from, {len(few['test']):,} to be judged on"
)
# %% [markdown]
# ## The first training
# %%
EPOCHS = lesson.pick(30, 8)
base = striate.Recipe(model="compact", epochs=lesson.pick(5, 3), batch_size=32, keep="last")
teacher = striate.Classifier(base).fit(first["train"], validation=first["validation"])
shown = teacher.history_[-1]["validation"]
teacher.save(lesson.folder("teacher"))
weights = str(lesson.out / "teacher")
print(
    f"after {base.epochs} epochs: validation accuracy {shown['accuracy']:.1%} (n = {len(first['validation']):,})"
)
# %% [markdown]
# ## What a training costs
#
# A step of training runs each stage forward once and backward about twice as dear: once for the gradient of its input
# and once for that of its weights. A frozen stage runs forward only. Where all stages are frozen they need to run once
# for the whole training, without augmentation, and only the head learns. So the cost of any plan can be computed from
# the multiply-adds of the stages. Validation is left out.
# %%
shape = teacher.preparation_.input_shape()
forward = dict.fromkeys((*teacher.network_.stage_names, "head"), 0)
for row in striate.summarize(teacher.network_, shape).rows:
    forward[row.stage] += row.multiply_adds
print({stage: f"{work:,}" for stage, work in forward.items()})


def cost(images: int, epochs: int, freeze: str = "none", extract: bool = False) -> int:
    """Multiply-adds of a training with the stages up to one frozen."""
    stages = list(forward)
    upto = {"none": 0, "all": len(stages) - 1}.get(
        freeze, stages.index(freeze) + 1 if freeze in stages else 0
    )
    frozen = sum(forward[stage] for stage in stages[:upto])
    learning = 3 * sum(forward[stage] for stage in stages[upto:])
    return images * (frozen * (1 if extract else epochs) + learning * epochs)


n = len(few["train"])
FIRST = cost(len(first["train"]), base.epochs)
LONG = EPOCHS + round(FIRST / cost(n, 1))
print(f"first training: {FIRST:,}; {EPOCHS} epochs from scratch: {cost(n, EPOCHS):,}")
print(
    f"So {LONG} epochs from scratch cost what the first training and {EPOCHS} epochs of fine-tuning cost together."
)
# %% [markdown]
# ## Which stage transfers?
#
# Before any further training: a linear classifier is fitted to what each stage makes of the few images, and judged on
# the validation images. The same network with fresh weights stands beside it. Only where the two intervals part is
# there knowledge to be transferred. With few images they are wide.
# %%
both = images.select(
    np.flatnonzero(np.isin(images.rows, np.concatenate([few["train"].rows, few["validation"].rows])))
)
both = both.relabelled([images.classes[label] for label in both.labels])
probe = striate.probe_stages(both, recipe=striate.Recipe(weights=weights))
print(probe.to_text())
# %%
figure, axis = plt.subplots(figsize=(7, 3.4), constrained_layout=True)
for shift, which, label in ((-0.08, "accuracy", "as learned"), (0.08, "untrained", "untrained")):
    numbers = [getattr(stage, which) for stage in probe.stages]
    value = np.array([number.value for number in numbers])
    ends = [value - [number.low for number in numbers], [number.high for number in numbers] - value]
    axis.errorbar(np.arange(len(value)) + shift, value, yerr=ends, fmt="o-", capsize=3, label=label)
axis.axhline(probe.guessing.value, color="grey", ls=":", label="commonest class")
axis.set(xticks=range(len(probe.stages)), xticklabels=[stage.name for stage in probe.stages], ylim=(0, 1))
axis.set(ylabel="accuracy of a linear probe", title=f"{len(new)} new classes, n = {probe.guessing.n}")
axis.legend(fontsize=8)
lesson.show(figure, "probe", probe.sentence())
# %% [markdown]
# ## Five ways to learn the new classes
#
# All with the same images, batches and defaults of the network:
# %%
middle = teacher.network_.stage_names[len(teacher.network_.stage_names) // 2]
WAYS = {
    "scratch": {"model": "compact", "epochs": EPOCHS},
    "scratch, long": {"model": "compact", "epochs": LONG},
    "extract": {"weights": weights, "epochs": EPOCHS, "freeze": "all", "extract": True},
    "frozen": {"weights": weights, "epochs": EPOCHS, "freeze": middle},
    "fine-tuned": {"weights": weights, "epochs": EPOCHS},
}
SEEDS = range(lesson.pick(3, 1))


def learn(seed: int = 0, **settings: object) -> striate.Classifier:
    """One way with one seed: of first weights or the new head, and of the order of the images."""
    recipe = striate.Recipe(batch_size=16, keep="last", seed=seed, **settings)
    return striate.Classifier(recipe).fit(few["train"], validation=few["validation"])


pupils = {(way, seed): learn(seed, **settings) for way, settings in WAYS.items() for seed in SEEDS}
# %% [markdown]
# Now the test images are opened, once. Each way is judged alone, with the interval of its accuracy, and against
# *scratch* by paired differences: both answer the same images, and only those count that one gets right and the other
# wrong. That interval is narrower than the two accuracies beside each other suggest.
# %%
costs, scores = {}, {}
print(
    f"{'way':<14} {'10⁹ multiply-adds':>17}  with the first   accuracy by seed (95 %, n = {len(few['test']):,})"
)
for way, settings in WAYS.items():
    plan = {name: settings[name] for name in ("epochs", "freeze", "extract") if name in settings}
    costs[way] = [cost(n, **plan), cost(n, **plan) + FIRST * ("weights" in settings)]
    scores[way] = [pupils[way, seed].evaluate(few["test"]).accuracy for seed in SEEDS]
    told = "; ".join(f"{one.value:.1%} ({one.low:.1%}–{one.high:.1%})" for one in scores[way])
    print(f"{way:<14} {costs[way][0] / 1e9:>17,.1f} {costs[way][1] / 1e9:>15,.1f}   {told}")
# %%
differences = {}
for way in list(WAYS)[1:]:
    for seed in SEEDS:
        pair = [pupils["scratch", seed], pupils[way, seed]]
        found = striate.compare(pair, few["test"]).pairings[0]
        differences[way, seed] = found.differences.accuracy
        print(
            f"{way:<14} − scratch, seed {seed}: {found.differences.accuracy.value:+.1%} "
            f"({found.differences.accuracy.low:+.1%} to {found.differences.accuracy.high:+.1%}), p = {found.p:.2g}"
        )
# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), constrained_layout=True)
for number, way in enumerate(WAYS):
    for seed in SEEDS:
        one = scores[way][seed]
        ends = [[one.value - one.low], [one.high - one.value]]
        spot = costs[way][1] / 1e9 * 1.03 ** (number + seed)
        axes[0].errorbar(
            spot, one.value, yerr=ends, fmt="o", color=f"C{number}", label=way if not seed else None
        )
        if way != "scratch":
            one = differences[way, seed]
            ends = [[one.value - one.low], [one.high - one.value]]
            axes[1].errorbar(
                one.value, number + 0.15 * seed, xerr=ends, fmt="o", color=f"C{number}", capsize=3
            )
axes[0].set(xscale="log", xlabel="10⁹ multiply-adds, first training included", ylabel="test accuracy")
axes[0].legend(fontsize=8)
axes[1].axvline(0, color="grey", lw=1)
axes[1].set(yticks=range(1, len(WAYS)), yticklabels=list(WAYS)[1:], xlabel="accuracy beyond scratch, paired")
axes[1].set_title(f"n = {len(few['test']):,}, {len(SEEDS)} seed{'s' * (len(SEEDS) > 1)}")
mean = {way: np.mean([differences[way, seed].value for seed in SEEDS]) for way in list(WAYS)[1:]}
says = ", ".join(f"{way} {value:+.1%}" for way, value in mean.items())
lesson.show(figure, "ways", f"Beyond {EPOCHS} epochs from scratch, mean of {len(SEEDS)} seed(s): {says}.")
# %% [markdown]
# Read the left picture along a vertical line: at one cost, who is higher? *Scratch, long* and *fine-tuned* cost the
# same, the first training included. *Scratch* and *fine-tuned* cost the same once the first training is there anyway,
# which is the usual case: somebody else has paid for it, and it serves many tasks. Which difference is shown, and
# which is not, the intervals say. Seeds are further runs of the training, not further images: they tell how much the
# run decides.
#
# ## Exercises
#
# 1. Freeze up to every stage in turn. The test images have been opened, so compare on images of the training split
#    that were not drawn. Where does it begin to cost accuracy?
# 2. Fine-tune with a smaller rate for the stages than for the head (`base_rate`), or with the head alone first
#    (`head_epochs`). Is a difference shown on the same images?
# %% tags=["hide-cell"]
# Solution 1
spare = part(new, "train", 300)
spare = spare.select(~np.isin(spare.rows, few["train"].rows))
for stage in ("none", *teacher.network_.stage_names):
    one = learn(weights=weights, epochs=EPOCHS, freeze=stage).evaluate(spare).accuracy
    work = cost(n, EPOCHS, stage) / 1e9
    print(
        f"frozen up to {stage:<8} {one.value:.1%} ({one.low:.1%}–{one.high:.1%}, n = {one.n}), {work:,.1f} × 10⁹"
    )
# %% tags=["hide-cell"]
# Solution 2
for settings in ({"base_rate": 0.1}, {"head_epochs": EPOCHS // 3}):
    pupil = learn(weights=weights, epochs=EPOCHS, **settings)
    print(f"{settings} against fine-tuned:")
    print("  " + striate.compare([pupils["fine-tuned", 0], pupil], spare).sentences()[0])
