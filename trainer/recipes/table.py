"""The table of recipes in docs/training.md: `python -m trainer.recipes.table` prints it."""

from __future__ import annotations

from trainer.recipes import RECIPES
from trainer.recipes.schema import Recipe


def recipe_table() -> str:
    """Return the table as Markdown: each recipe, its stages with their steps, its input, what it begins with."""
    rows = [
        "| recipe | stages and steps | input | begins with | taught by | what it makes |",
        "|---|---|---|---|---|---|",
    ]
    rows += [_row(name, recipe) for name, recipe in RECIPES.items()]
    return "\n".join(rows) + "\n"


def _row(name: str, recipe: Recipe) -> str:
    trainings = recipe.trainings(name)
    stages = ", ".join(f"{stage.name} {stage.steps:,}" for stage in recipe.stages)
    sides = dict.fromkeys(training.network.input_size for training in trainings)
    teachers = dict.fromkeys(teacher for training in trainings for teacher in training.teachers)
    cells = (
        f"`{name}`",
        stages,
        " → ".join(map(str, sides)) + " px",
        recipe.init,
        ", ".join(teachers),
        recipe.description,
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(recipe_table(), end="")  # noqa: T201
