# %% [markdown]
# # Your own photographs
#
# A network that was trained with what photographs do to pictures comes along. Photographs of
# clothes are cut out, centred and toned as the data set's pictures are, then answered. We draw a
# photograph here: a T-shirt on a wooden table. Yours is `fashioncnn predict shirt.jpg`.

# %%
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import fashioncnn as fc

random = np.random.default_rng(1)
grain = np.repeat(random.normal(0, 14, (1, 640)), 480, 0) + random.normal(0, 6, (480, 640))
wood = np.clip(np.array([170, 120, 80]) + grain[..., None], 0, 255).astype(np.uint8)
photo = Image.fromarray(wood)
pen = ImageDraw.Draw(photo)
pen.polygon(
    [
        (250, 90),
        (390, 90),
        (470, 150),
        (430, 215),
        (400, 190),
        (400, 400),
        (240, 400),
        (240, 190),
        (210, 215),
        (170, 150),
    ],
    fill=(35, 60, 120),
)
pen.ellipse((290, 75, 350, 110), fill=(150, 105, 70))
photo = photo.filter(ImageFilter.GaussianBlur(1.5))
photo.save("shirt.jpg", quality=80)
photo.resize((320, 240))

# %%
(answer,) = fc.predict(["shirt.jpg"], show="steps.png")
answer.answer, answer.probabilities, answer.warnings

# %% [markdown]
# The sheet shows each step: the outline that was found, the picture that the network sees, the
# pixels that spoke for the answer, and the nearest pictures that it learned from.

# %%
Image.open("steps.png").convert("RGB")

# %% [markdown]
# How often that is right, and how that was measured, stands in
# [Photographs](../how-to/photographs.md). Of things that it does
# not know, it says mostly that it is not sure.
