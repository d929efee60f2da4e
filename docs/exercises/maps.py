# %% [markdown]
# # 10. A map that says nothing
#
# A map of attribution colours the pixels that spoke for an answer. Make maps of a trained network,
# and look at those of the same network with random weights beside them. Which method could you have
# believed?

# %% [markdown]
# ## Solution

# %%
import fashioncnn as fc

run = fc.train("fast-92", changes={"training.epochs": 2, "data.validation_images": 5000})
checks = fc.attribute(run)
for name, found in checks.checks.items():
    print(name, "failed: " + "; ".join(found.failures) if found.failures else "passed")

# %%
fc.report(run)
run.figures["attributions"]

# %% [markdown]
# A map that looks the same with random weights shows the picture's edges, not the network. The
# figure shows the controls beside the maps, and the page says which methods passed.
