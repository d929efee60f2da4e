# %% [markdown]
# # Your own network
#
# A network of your own is one Python file. `new` writes one to start from, and a recipe that names
# it; on the command line it is `fashioncnn new mine.py`.

# %%
from pathlib import Path

import fashioncnn as fc

code, recipe = fc.new("mine.py")
print(code.read_text())

# %%
print(recipe.read_text())

# %% [markdown]
# `family = "mine.py:MyNet"` names the class; the other keys of `[model]` are its arguments. `check`
# looks at it as a teacher would, in seconds (`fashioncnn check mine.py`):

# %%
checked = fc.check("mine.py")
for findings in checked.parts.values():
    for finding in findings:
        print(finding.verdict, finding.check)
checked.facts

# %% [markdown]
# What if something is wrong? Let the network answer with probabilities, as many do by mistake:

# %%
Path("wrong.py").write_text(code.read_text().replace("return answers", "return answers.softmax(1)"))
for finding in fc.check("wrong.py:MyNet").parts["wrong.py:MyNet"]:
    if finding.verdict == "bad":
        print(f"{finding.check}: {finding.told}\n-> {finding.remedy}")

# %% [markdown]
# It trains like any recipe. The run keeps a copy of the file with its digest, so that it works on
# when you change yours. Two widths, one epoch each:

# %%
narrow = fc.train(recipe, changes={"training.epochs": 1, "model.width": 4, "name": "narrow"})
wide = fc.train(recipe, changes={"training.epochs": 1, "model.width": 16, "name": "wide"})
(narrow.path / "code" / "mine.py").exists()

# %% [markdown]
# Which is better, and how sure is that? One seed of each tells about these two runs; several
# seeds tell about the recipes.

# %%
(comparison,) = fc.compare([narrow, wide])
comparison

# %% [markdown]
# An optimiser, a schedule, a loss or an augmentation of your own works the same way:
# `fc.new("focal.py", what="loss")`.
