"""Stands in for `understudy train` and `export` in a process: leaves the same files behind, without torch.

What it does follows from the name of the recipe: `quick` ends by itself, `slow` has to be stopped, `crash` breaks off
after two steps, `refused` is never begun, `deaf` cannot be stopped politely, `staged` has two stages, `own` is made of
pictures and `toy` of the sample.
"""

import argparse
import csv
import json
import signal
import sys
import time
from pathlib import Path

from app.cli.train import interrupt_when_stdin_closes

STEPS = {"quick": 5, "slow": 100_000, "crash": 5, "refused": 5, "deaf": 100_000, "staged": 5, "own": 5, "toy": 5}
GROUPS = {"own": "start", "toy": "start", "staged": "teachers", "deaf": "papers"}  # the others are students
MADE_OF = {"own": "pictures", "toy": "sample"}
MISSING = {"staged": ["quick"]}
STAGES = {"staged": ("base", "gentle")}  # of recipes that have several
REFUSAL = "{} names no field.\n  Likely cause: The fields here are: steps, seed.\n  What to do: Correct the name.\n"


def stages(name: str) -> list[dict]:
    shared = {
        "network": {"points": 68, "input_size": 64},
        "init": "random",
        "packs": [{"name": "faces"}],
        "steps": STEPS[name],
        "batch": 4,
        "seed": 0,
    }
    names = [f"{name}:{stage}" for stage in STAGES.get(name, ())]
    return [{"name": stage, **shared} for stage in names or [name]]


def changed(values: dict, changes: list[str]) -> dict:
    for change in changes:
        key, _, text = change.partition("=")
        if key not in values:
            sys.stderr.write(REFUSAL.format(f"“{change}”"))
            raise SystemExit(1)
        values[key] = json.loads(text)
    return values


def add_row(file: Path, heading: list[str], row: list[float]) -> None:
    new = not file.exists()
    with file.open("a", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([heading, row] if new else [row])


def save(folder: Path, step: int) -> None:
    header = json.dumps({"__metadata__": {"step": str(step)}}).encode()
    (folder / "last.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)


def saved(folder: Path) -> int:
    content = (folder / "last.safetensors").read_bytes()
    return int(json.loads(content[8:])["__metadata__"]["step"])


def train(options: argparse.Namespace) -> int:
    if options.resume:
        folder = Path(options.resume)
        values = json.loads((folder / "recipe.json").read_text())
        data = options.data or values["data_folder"]
    else:
        folder, data = Path(options.out), options.data
        values = {"data_folder": data, "stages": [changed(stage, options.set) for stage in stages(options.recipe)]}
        if len(values["stages"]) == 1:
            values["recipe"] = values.pop("stages")[0]
    todo = values.get("stages") or [values["recipe"]]
    name = todo[0]["name"].partition(":")[0]
    if name in MADE_OF:
        (Path(data) / "faces").mkdir(parents=True, exist_ok=True)
        sys.stderr.write(f"made of {options.pictures or 'the sample'}\n")
    if name == "refused" or not (Path(data) / "faces").is_dir():
        sys.stderr.write("The pack faces is not there.\n  Likely cause: It was moved.\n  What to do: Choose --data.\n")
        return 1
    if options.with_teachers:
        sys.stderr.write("The teachers are there.\n")
    (folder / "recipe.json").write_text(json.dumps(values))
    asked = []
    signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
    if options.stop_with_stdin and name != "deaf":
        interrupt_when_stdin_closes()
    for number, stage in enumerate(todo, 1):
        place = folder if len(todo) == 1 else folder / f"{number}-{stage['name'].partition(':')[2]}"
        place.mkdir(exist_ok=True)
        if not train_stage(place, stage, asked, name == "crash"):
            return 130
    return 0


def train_stage(folder: Path, values: dict, asked: list, crashes: bool) -> bool:
    first = saved(folder) if (folder / "last.safetensors").exists() else 0
    for step in range(first + 1, values["steps"] + 1):
        time.sleep(0.02)
        add_row(folder / "train.csv", ["step", "points", "total"], [step, 1, 2 / step])
        if step % 5 == 0:
            add_row(folder / "validation.csv", ["step", "nme"], [step, 3 + 5 / step])
            sys.stderr.write(f"step {step}: NME {3 + 5 / step:.3f} %\n")
        if asked:
            save(folder, step)
            sys.stderr.write(f"\nThe run was interrupted after step {step}. \n")
            return False
        if crashes and first == 0 and step == 2:
            save(folder, step)
            raise MemoryError("no room for the batch")
    save(folder, values["steps"])
    return True


def export(options: argparse.Namespace) -> int:
    target = Path(options.out)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(Path(options.checkpoint).read_bytes())
    target.with_suffix(".json").write_text(json.dumps({"role": options.role}))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    training, exporting = verbs.add_parser("train"), verbs.add_parser("export")
    training.add_argument("recipe", nargs="?")
    training.add_argument("--set", action="append", default=[])
    for option in ("--list", "--show", "--install"):
        training.add_argument(option, action="store_true")
    training.add_argument("--stop-with-stdin", action="store_true")
    training.add_argument("--with-teachers", action="store_true")
    for option in ("--data", "--out", "--resume", "--runs", "--json", "--pictures"):
        training.add_argument(option)
    exporting.add_argument("checkpoint")
    for option in ("--out", "--role"):
        exporting.add_argument(option)
    options = parser.parse_args()
    if options.verb == "export":
        return export(options)
    if options.install:
        sys.stdout.write("Collecting torch\n")
        return 0
    if options.show:
        changes = [changed(stage, options.set) for stage in stages(options.recipe)]
        Path(options.json).write_text(json.dumps({"stages": changes}))
        return 0
    if options.list:
        recipes = [
            {
                "name": name,
                "group": GROUPS.get(name, "students"),
                "made_of": MADE_OF.get(name, "packs"),
                "missing": MISSING.get(name, []),
                "description": f"Does {name}.",
                "stages": stages(name),
            }
            for name in STEPS
        ]
        recipes[1]["former_names"] = ["slow-second"]
        Path(options.json).write_text(json.dumps({"recipes": recipes}))
        return 0
    return train(options)


if __name__ == "__main__":
    sys.exit(main())
