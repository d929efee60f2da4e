"""compare: from runs, or groups of seeds, to which is better, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

from fashioncnn.errors import RunError
from fashioncnn.opening.data import Data
from fashioncnn.opening.runs import AnyRun, as_list, open_runs
from fashioncnn.opening.scored import scored_run
from fashioncnn.opening.trained import Trained
from fashioncnn.recipes.load import differences, load
from fashioncnn.recipes.schema import Recipe
from fashioncnn.reporting.comparison import TITLE, Named, comparison_document
from fashioncnn.reporting.documents.comparison import ComparedPart, ComparisonDocument
from fashioncnn.reporting.groups import Group
from fashioncnn.runs.directory import Run
from fashioncnn.training.device import DeviceName
from fashioncnn.usercode.faults import user_code
from fashioncnn.workflows.evaluate import open_evaluated


@user_code()
def compare(
    runs: Sequence[AnyRun], *, data: Data = None, device: DeviceName = "auto"
) -> tuple[ComparedPart, ...]:
    """Compare each of `runs` with the first; each is a run, or a folder of runs of one recipe.

    Runs that were not evaluated yet are, on the test pictures. Two single runs are compared by
    McNemar's exact test, groups by the paired bootstrap over pictures and seeds; with several
    comparisons, Holm's correction keeps the chance of one false alarm at 5 %. Raises RunError when
    fewer than two are given, or a run cannot be used.
    """
    runs = as_list(runs)
    if len(runs) < 2:
        raise RunError(f"compare needs two runs or more; {len(runs)} given")
    paths = [str(one.path if isinstance(one, Run) else one) for one in runs]
    opened = [_runs_of_one_recipe(given) for given in runs]
    folders = [run.path.resolve() for group in opened for run in group]
    if twice := [folder for folder in folders if folders.count(folder) > 1]:
        raise RunError(f"compare: {twice[0]} is given twice")
    groups = [[open_evaluated(run, data, device) for run in group] for group in opened]
    return compare_groups(groups, paths, pictures=False).comparisons


def compare_groups(
    groups: Sequence[Sequence[Trained]],
    paths: Sequence[str] = (),
    title: str = TITLE,
    *,
    pictures: bool = True,
) -> ComparisonDocument:
    """Compare each group of evaluated networks with the first; each is of one recipe.

    With `pictures`, the document has those whose answers changed. Groups are called by their
    recipes, told apart by what differs from the first, else by `paths`.
    """
    first = groups[0][0]
    recipes = [group[0].recipe for group in groups]
    named = [
        Named(
            name,
            tuple(differences(group[0].recipe, first.recipe)),
            Group(tuple(scored_run(one) for one in group)),
        )
        for name, group in zip(_names(recipes, paths), groups, strict=True)
    ]
    shown = first.pictures("test", "pictures").images_NHWC if pictures else None
    return comparison_document(named, shown, title)


def _names(recipes: Sequence[Recipe], paths: Sequence[str]) -> list[str]:
    names = [recipe.name for recipe in recipes]
    if len(set(names)) == len(names):
        return names
    for at, recipe in enumerate(recipes[1:], start=1):
        changes = [change.split(",")[0] for change in differences(recipe, recipes[0])]
        names[at] += f" with {', '.join(changes)}" if changes else ""
    return names if len(set(names)) == len(names) else list(paths)


def _runs_of_one_recipe(given: AnyRun) -> list[Run]:
    runs = open_runs([given])
    first = load(runs[0].recipe_file)
    for run in runs[1:]:
        recipe = load(run.recipe_file)
        if recipe.name != first.name or differences(first, recipe):
            raise RunError(
                f"{given} holds runs of several recipes, {first.name} and {recipe.name} among "
                "them: name a folder with runs of one"
            )
    return runs
