"""The golden loss curve: what a step does to the loss does not change unawares."""

import json

import numpy as np

from tests.golden.loss_curve import FILE, STEPS, loss_curve

# As parts of the loss. What another processor would round otherwise was tried by leaving out oneDNN and by changing
# the pixels by a thousandth: 0.2 % in the first ten steps, 2.1 % at most, 0.3 % over the last ten. A learning rate that
# is 5 % higher makes 1.9 % over the last ten.
FIRST_STEPS, AT_MOST, LAST_STEPS = 0.006, 0.06, 0.01


def test_the_first_steps_of_a_training_give_the_golden_losses(data, tmp_path):
    golden = np.array(json.loads(FILE.read_text(encoding="utf-8")))
    assert len(golden) == STEPS
    assert golden[-10:].mean() < 0.8 * golden[:10].mean(), "it learns"
    curve = np.array(loss_curve(data, tmp_path / "run"))
    apart = np.abs(curve / golden - 1)
    assert apart[:10].max() < FIRST_STEPS
    assert apart.max() < AT_MOST
    assert abs(golden[-10:].mean() / curve[-10:].mean() - 1) < LAST_STEPS
