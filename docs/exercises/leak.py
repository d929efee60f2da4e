# %% [markdown]
# # 5. A leak, on purpose
#
# Choose the better of three learning rates by its accuracy on *test*, then report that accuracy.
# What is wrong with it? Where does the program keep what you did?

# %% [markdown]
# ## Solution

# %%
import fashioncnn as fc

runs = {}
for rate in (0.0003, 0.001, 0.003):
    changes = {
        "optimizer.learning_rate": rate,
        "training.epochs": 1,
        "name": f"rate-{1e4 * rate:.0f}",
    }
    runs[rate] = fc.train("two-conv", changes=changes | {"training.precision": "auto"})
accuracies = {rate: fc.evaluate(run).accuracy for rate, run in runs.items()}
print(accuracies)

# %%
best = max(runs, key=lambda rate: accuracies[rate])
print(runs[best].readings_file.read_text())

# %% [markdown]
# The largest of three numbers with chance in them is too large: chosen by test, it is no longer
# the accuracy on new pictures. Each run notes every reading of test, so three runs with one each
# tell of the choice. Choose by `run.metrics[-1]["val/accuracy"]`, and read test once.
