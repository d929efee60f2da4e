# %% [markdown]
# # 9. Does it know what it does not know?
#
# Show a network noise, and pictures turned upside down. How sure is it? Would a threshold on the
# probability keep such pictures out?

# %% [markdown]
# ## Solution

# %%
import numpy as np

import fashioncnn as fc

run = fc.train("fast-92", changes={"training.epochs": 2, "data.validation_images": 5000})
trained = fc.load(run)
test = fc.DataSet().test.images_NHWC[:200]
noise = np.random.default_rng(0).integers(0, 256, test.shape, dtype=np.uint8)
for name, images in (("test", test), ("noise", noise), ("upside down", test[:, ::-1])):
    answers = trained.predict(np.ascontiguousarray(images))
    print(f"{name}: {answers.probabilities.max(1).mean():.2f}", answers.classes[:5])

# %% [markdown]
# Noise is often a Bag, with confidence: probabilities only share out between the ten classes.
# `fashioncnn evaluate RUN --stress` measures how well probability and energy tell unknown pictures.
