# %% [markdown]
# # 9. Does it know what it does not know?
#
# Show a network noise, and pictures turned upside down. How sure is it? Would a threshold on the
# probability keep such pictures out? Choose one that 95 of 100 test pictures pass.

# %% [markdown]
# ## Solution

# %%
import numpy as np

import fashioncnn as fc

run = fc.train("fast-92", changes={"training.epochs": 2, "data.validation_images": 5000})
trained = fc.load(run)
test = fc.DataSet().test.images_NHWC[:200]
noise = np.random.default_rng(0).integers(0, 256, test.shape, dtype=np.uint8)
threshold = np.quantile(trained.predict(test).probabilities.max(1), 0.05)
for name, images in (("test", test), ("noise", noise), ("upside down", test[:, ::-1])):
    answers = trained.predict(np.ascontiguousarray(images))
    sure = answers.probabilities.max(1)
    print(f"{name}: {sure.mean():.2f}, {(sure > threshold).mean():.0%} pass", answers.classes[:5])

# %% [markdown]
# Noise is often a Bag. The network is less sure of it than of clothes, but much of it passes a
# threshold that clothes pass: probabilities only share out between the ten classes.
# `fashioncnn evaluate RUN --stress` measures how well probability and energy tell unknown pictures.
