# %% [markdown]
# # Train your first network
#
# Fashion-MNIST has 70,000 grey pictures of clothes, 28 x 28 pixels each, in ten classes. A network
# learns from 60,000 of them and is judged by the other 10,000, the test pictures.

# %%
import fashioncnn as fc

# %% [markdown]
# A **recipe** says everything about a training: how pictures are prepared, which network, which
# optimiser, how long. `fast-92` is one that comes along. It takes six passes over the pictures
# (epochs); two are enough to see it learn. `seed` decides everything random, so that the same
# line gives the same network again.

# %%
run = fc.train("fast-92", seed=0, changes={"training.epochs": 2, "data.validation_images": 5000})
run.path

# %% [markdown]
# The **run** is a folder that holds all there is to know about it. What it scores on the test
# pictures, which it has never seen:

# %%
scores = fc.evaluate(run)
scores

# %% [markdown]
# *Precision* is how many of the pictures that it called a shirt are shirts, *recall* how many of
# the shirts it found. Which classes does it take for one another?

# %%
for pair in scores.top_confusions:
    print(f"{pair.true} taken for {pair.predicted}: {pair.share:.1%}")

# %% [markdown]
# And what does it say of a single picture? Pictures are light on dark, uint8.

# %%
images = fc.DataSet().test.images_NHWC[:5]
fc.load(run).predict(images).classes

# %% [markdown]
# **Next:** the page that shows all of this and more, [Read the page](read_the_page.py). On the
# command line the same is
#
# ```sh
# fashioncnn train fast-92 --report
# ```
