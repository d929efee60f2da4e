# %% [markdown]
# # 4. Why Shirt?
#
# Shirt has the lowest F1 of all classes, in every network. What is it taken for? Look at the shirts
# that were taken for something else: would you have known? How sure was the network?

# %% [markdown]
# ## Solution

# %%
import numpy as np

import fashioncnn as fc

run = fc.train("fast-92", changes={"training.epochs": 2, "data.validation_images": 5000})
scores = fc.evaluate(run)
row = dict(zip([one.name for one in scores.classes], scores.confusion[6], strict=True))
print(row)

# %%
test = fc.DataSet().test
answers = fc.load(run).predict(test.images_NHWC)
shirts = test.labels == 6
wrong = shirts & (answers.probabilities.argmax(1) != 6)
sure = answers.probabilities.max(1)
for name, chosen in (("right", shirts & ~wrong), ("wrong", wrong)):
    if chosen.any():
        print(name, f"{np.mean(sure[chosen]):.2f}")

# %%
fc.report(run)
run.figures["confused_pictures"]

# %% [markdown]
# T-shirts, pullovers, coats: at 28 x 28 grey pixels a collar is three pixels. The network is less
# sure where it is wrong, as it should be.
