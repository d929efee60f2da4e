# %% [markdown]
# # 6. A rate too high
#
# Raise the learning rate of plain SGD, until training diverges. What does the loss do before that?
# A network that answers all classes alike has a loss of ln 10 = 2.30. What does the program say?

# %% [markdown]
# ## Solution

# %%
import fashioncnn as fc

sgd = {"optimizer.name": "sgd", "optimizer.momentum": 0.0, "training.epochs": 1}
for rate in (0.01, 0.1, 1.0, 1e6):
    try:
        run = fc.train("two-conv", changes=sgd | {"optimizer.learning_rate": rate})
        print(rate, f"{run.metrics[-1]['train/loss']:.3f}")
    except fc.FashionCNNError as error:
        print(rate, type(error).__name__, error)

# %% [markdown]
# Too low learns slowly; too high jumps over the valley, and the loss ends above ln 10: worse than
# no answer. At last the weights are no numbers any more. Training ends then, and names the rate.
