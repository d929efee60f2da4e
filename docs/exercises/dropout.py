# %% [markdown]
# # 1. Dropout on and off
#
# Dropout leaves a share of the features out at every step. Train the same network without and with
# it, for five epochs. Compare training and validation accuracy after each epoch. Which one knows
# its training pictures better, and which one new pictures? Why does training accuracy fall with
# dropout although the network is not worse?

# %% [markdown]
# ## Solution

# %%
import fashioncnn as fc

for dropout in (0.0, 0.5):
    changes = {
        "model.dropout": dropout,
        "training.epochs": 5,
        "name": f"dropout-{10 * dropout:.0f}",
    }
    run = fc.train("two-conv", changes=changes | {"training.precision": "auto"})
    for record in run.metrics:
        print(
            dropout, record["epoch"], f"{record['train/accuracy']:.3f} {record['val/accuracy']:.3f}"
        )

# %% [markdown]
# Without dropout, training accuracy leaves validation behind. With it, both stay together: training
# accuracy is measured while half of the features are missing. After five epochs the difference on
# validation is small; see 7, whether it is more than chance.
