# %% [markdown]
# # Read the page
#
# `report` writes one page about a run, a file that opens offline. Here are its main figures, one
# by one; each has its name in `run.figures`. Words that are new to you stand in the
# [glossary](../reference/glossary.md).

# %%
import fashioncnn as fc

run = fc.train("fast-92", changes={"training.epochs": 2, "data.validation_images": 5000})
page = fc.report(run)
list(run.figures)

# %% [markdown]
# **Where it fails.** Rows are the true classes, columns the answers. Shirts are the hardest class:
# at 28 x 28 pixels a shirt, a pullover and a coat are nearly the same.

# %%
run.figures["confusion_matrix"]

# %% [markdown]
# **How far to trust its probabilities.** Of the answers that it gives 80 %, about 80 % should be
# right: then points lie on the diagonal.

# %%
run.figures["reliability"]

# %% [markdown]
# **What it looks for.** The path of one picture through the network: at each stage the strongest
# channels, and the answer at the end.

# %%
run.figures["path"]

# %% [markdown]
# **How it came to look for that.** The first filters, and what they make of a picture, from the
# random beginning to the end.

# %%
run.figures["learning"]

# %% [markdown]
# `fc.report(run, full=True)` adds what takes longer: worse pictures, unknown ones, which pixels
# spoke for an answer and whether such maps can be trusted, and a map of the test pictures.
