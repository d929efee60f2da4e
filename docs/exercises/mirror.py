# %% [markdown]
# # 8. An augmentation that hurts
#
# Clothes in Fashion-MNIST all hang upright. Train with pictures turned by any angle (a rotation of
# up to 180 degrees: half of them lie on their heads), and without. Which classes lose most? When
# does an augmentation help?

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
# Look for classes that an angle tells apart: a shoe on its heel is a boot, a dress on its side a
# bag. What never happens in test pictures is learned for nothing, and takes room. It helps
# where it makes pictures that might as well have been there: a bag mirrored, a shirt a pixel lower.
