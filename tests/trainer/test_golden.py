"""The golden loss curve: the effect of a step on the loss does not change unnoticed."""

import json

import numpy as np

from tests.golden.loss_curve import FILE, STEPS, loss_curve

# As parts of the loss. Adam divides by the gradient's size, so rounding grows with the steps. What another processor
# would round otherwise was tried without its vector instructions and without oneDNN: less than 1e-6 at the first step,
# 0.4 % in the first ten, 4.1 % at most. A weight of the loss that is 5 % higher makes 0.6 % and 1.2 % in the first two;
# a learning rate that is 30 % higher 1.4 % and 14 % in the last two.
FIRST_STEP, TEN_STEPS, ALL_STEPS = 1e-4, 0.008, 0.08


def test_the_first_steps_of_a_training_give_the_golden_losses(data, tmp_path):
    golden = np.array(json.loads(FILE.read_text(encoding="utf-8")))
    assert len(golden) == STEPS
    assert golden[-10:].mean() < 0.8 * golden[:10].mean(), "it learns"
    apart = np.abs(np.array(loss_curve(data, tmp_path / "run")) / golden - 1)
    assert apart[0] < FIRST_STEP
    assert apart[:10].max() < TEN_STEPS
    assert apart.max() < ALL_STEPS
