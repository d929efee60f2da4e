# %% [markdown]
# # 8. An augmentation that hurts
#
# Shoes in Fashion-MNIST all point to the left. Train with pictures upside down half of the time (a
# rotation of up to 180 degrees), and without. Which classes lose most? When does an augmentation
# help?

# %% [markdown]
# ## Solution

# %%
import fashioncnn as fc

runs = []
for degrees in (0.0, 180.0):
    changes = {"augmentation.rotation_degrees": degrees, "training.epochs": 2}
    changes |= {"name": f"turned-{degrees:.0f}", "training.precision": "auto"}
    runs.append(fc.train("two-conv", changes=changes))
(found,) = fc.compare(runs)
found

# %% [markdown]
# What never happens in test pictures is learned for nothing, and takes room. An augmentation helps
# where it makes pictures that might as well have been there: a bag mirrored, a shirt a pixel lower.
