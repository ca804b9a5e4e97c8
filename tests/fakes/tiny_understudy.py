"""The program itself, with one recipe more: `tiny`, a run of a few steps that needs no GPU."""

import sys

from app.cli.main import main
from tests.fakes.tiny_training import tiny
from trainer.recipes import RECIPES

if __name__ == "__main__":
    RECIPES["tiny"] = tiny()
    sys.exit(main())
