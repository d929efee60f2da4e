# %% [markdown]
# # Your own pictures
#
# A folder of pictures is a data set: one folder a class, in it files of any size, grey or colour.
# Here we draw one: crosses, rings and bars, in colour.

# %%
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import fashioncnn as fc

random = np.random.default_rng(0)


def draw(kind: str) -> Image.Image:
    picture = Image.new("RGB", (40, 32), tuple(int(one) for one in random.integers(0, 90, 3)))
    pen, colour = ImageDraw.Draw(picture), tuple(int(one) for one in random.integers(120, 255, 3))
    x, y, r = random.integers(12, 28), random.integers(10, 22), random.integers(6, 10)
    if kind == "ring":
        pen.ellipse((x - r, y - r, x + r, y + r), outline=colour, width=3)
    else:
        pen.line((x - r, y, x + r, y), fill=colour, width=4)
    if kind == "cross":
        pen.line((x, y - r, x, y + r), fill=colour, width=4)
    return picture


for kind in ("bar", "cross", "ring"):
    folder = Path("shapes") / kind
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(150):
        draw(kind).save(folder / f"{number}.png")

# %% [markdown]
# What is in it? Nothing is set aside for test, so a seventh of the pictures is, of every class in
# proportion.

# %%
found = fc.show_data("shapes", sheet="samples.png")
print(found.counts, found.odd)
Image.open("samples.png").convert("RGB")

# %% [markdown]
# Any recipe trains on it. What of it does not fit is said first. These pictures are few, so that
# more epochs and smaller batches are needed.

# %%
run = fc.train(
    "two-conv",
    data="shapes",
    changes={"training.epochs": 12, "data.image_size": "data", "training.batch_size": 32},
)
fc.evaluate(run)

# %% [markdown]
# The run knows its pictures: later verbs find them, and `predict` prepares files as they are. Here
# is one that it has not seen.

# %%
draw("ring").save("new.png")
[(one.answer, one.probabilities[0]) for one in fc.predict(["new.png"], run)]
