# %% [markdown]
# # 7. Is it the seed?
#
# Train the same recipe twice with different seeds, and compare the two as if they were two recipes.
# Then train three seeds of each "recipe" and compare again. What does each verdict speak of?

# %% [markdown]
# ## Solution

# %%
import fashioncnn as fc

changes = {"training.epochs": 1, "data.validation_images": 5000}
runs = [fc.train("fast-92", seed=seed, changes=changes) for seed in range(4)]
(two,) = fc.compare(runs[:2])
two

# %% [markdown]
# McNemar's test may well say that these two runs differ: they do, picture by picture. It does not
# say that one *recipe* is better: there is only one. For that, several seeds of each are compared:
# `fc.compare` takes folders of runs, and its interval is over pictures and seeds.

# %%
accuracies = [fc.evaluate(run).accuracy for run in runs]
print([f"{one:.4f}" for one in accuracies], f"spread {max(accuracies) - min(accuracies):.4f}")
