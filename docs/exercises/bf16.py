# %% [markdown]
# # 3. What bf16 costs
#
# bfloat16 keeps 8 of fp32's 24 bits of precision. Train one recipe in both. What happens to the
# time, and what to the accuracy? (`fashioncnn bench machine` says whether your processor has
# instructions for it; without them it takes ten times as long and more.)

# %% [markdown]
# ## Solution

# %%
import fashioncnn as fc

for precision in ("fp32", "bf16"):
    changes = {"training.precision": precision, "training.epochs": 2, "name": precision}
    run = fc.train("two-conv", changes=changes)
    seconds = sum(record["train/seconds"] for record in run.metrics)
    print(precision, f"{seconds:.1f} s", f"{run.metrics[-1]['val/accuracy']:.4f}")

# %% [markdown]
# Accuracies differ by less than two seeds do: weights and sums are still kept in fp32, and only
# products are rounded, each a little, in either direction.
