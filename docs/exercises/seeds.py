# %% [markdown]
# # 7. Is it the seed?
#
# Train the same recipe twice with different seeds, and compare the two as if they were two recipes.
# Then train two seeds of each "recipe" and compare again. What does each verdict speak of?

# %% [markdown]
# ## Solution

# %%
import fashioncnn as fc

changes = {"training.epochs": 1, "data.validation_images": 5000}
first = fc.train_seeds("fast-92", seeds=[0, 1], changes=changes, out="first")
second = fc.train_seeds("fast-92", seeds=[2, 3], changes=changes, out="second")
(one_each,) = fc.compare([first[0], second[0]])
one_each

# %% [markdown]
# McNemar's test may well say that these two runs differ: they do, picture by picture. It does not
# say that one *recipe* is better: there is only one. For that, several seeds of each are compared:
# `fc.compare` takes folders of runs, and its interval is over pictures and seeds.

# %%
(two_each,) = fc.compare(["first/fast-92", "second/fast-92"])
two_each

# %%
accuracies = [fc.evaluate(run).accuracy for run in (*first, *second)]
print([f"{one:.4f}" for one in accuracies], f"spread {max(accuracies) - min(accuracies):.4f}")
