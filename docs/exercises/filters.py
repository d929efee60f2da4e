# %% [markdown]
# # 2. Filters over epochs
#
# A first filter is nine numbers. Look at them before the training and after each epoch. Which
# filters find vertical edges, which horizontal ones? Are there two that are alike?

# %% [markdown]
# ## Solution

# %%
import fashioncnn as fc

run = fc.train("two-conv", changes={"training.epochs": 3, "training.precision": "auto"})
fc.explain(run)
run.figures["learning"]

# %% [markdown]
# Most of what a filter will be is decided in the first epoch. A filter with a dark and a light side
# answers to an edge in that direction.
