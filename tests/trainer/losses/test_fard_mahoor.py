"""KD-Loss against values computed by hand, in both of its variants."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import UsageError
from trainer.losses.fard_mahoor import (
    Assistive,
    KDLoss,
    assistive_loss,
    kd_terms,
    main_loss,
    point_distillation,
    released_code,
)

NAN = float("nan")
RAMP = Assistive(positive=1.0, negative=-0.5, beta=0.4, inner="ramp")
ZERO = replace(RAMP, inner="zero")


def at(student_error, teacher_error, settings):
    """The loss of one coordinate whose label is 0.3, with the errors of student and teacher on opposite sides."""
    truth = torch.tensor([0.3], dtype=torch.float64)
    return assistive_loss(truth + student_error, truth - teacher_error, truth, settings).item()


def slope_at(student_error, teacher_error, settings):
    student = torch.tensor([0.3 + student_error], dtype=torch.float64, requires_grad=True)
    truth = torch.tensor([0.3], dtype=torch.float64)
    assistive_loss(student, truth + teacher_error, truth, settings).sum().backward()
    return student.grad.item()


@pytest.mark.parametrize(
    ("error", "loss"),
    [(0.04, -0.045), (0.08, -0.08), (0.12, -0.105), (0.2, -0.1), (0.25, -0.075)]
    + [(0.3, -0.05), (0.5, 0.1), (0.6, 0.2), (0.7, 0.3)],
)
def test_the_ramp_gives_what_was_measured_in_the_papers_figure(error, loss):
    assert at(error, 0.4, RAMP) == pytest.approx(loss)
    assert at(-error, 0.4, RAMP) == pytest.approx(loss), "the other side of the label"
    assert at(error, -0.4, RAMP) == pytest.approx(loss), "the teacher on the same side"


@pytest.mark.parametrize(
    ("name", "far", "between", "near"),
    # e_T = 0.2: alpha+ * (0.3 - 0.2), alpha- * (0.2 - 0.1), and nothing below the knee at 0.03.
    [("tough", 0.19, -0.045, 0.0), ("tolerant", 0.18, -0.04, 0.0)],
)
def test_the_released_constants_in_each_region(name, far, between, near):
    constants = getattr(released_code(), name)
    assert at(0.3, 0.2, constants) == pytest.approx(far)
    assert at(0.1, 0.2, constants) == pytest.approx(between)
    assert at(0.02, 0.2, constants) == near


def test_the_constants_of_the_figures_in_each_region():
    for constants in (KDLoss().tough, KDLoss().tolerant):
        assert at(0.3, 0.2, constants) == pytest.approx(0.09)
        assert at(0.1, 0.2, constants) == pytest.approx(-0.045)
        assert at(0.02, 0.2, constants) == pytest.approx(-0.45 * 0.25 * 0.18)


def test_the_ramp_has_no_jump_and_the_released_code_has_one_at_its_knee():
    step = 1e-9
    for border in (0.4, 0.16, 0.0):
        assert at(border + step, 0.4, RAMP) == pytest.approx(at(border - step, 0.4, RAMP), abs=1e-8)
    assert at(0.4 + step, 0.4, ZERO) == pytest.approx(at(0.4 - step, 0.4, ZERO), abs=1e-8)
    jump = at(0.16 - step, 0.4, ZERO) - at(0.16 + step, 0.4, ZERO)
    assert jump == pytest.approx(0.5 * (1 - 0.4) * 0.4, abs=1e-8), "|alpha-| (1 - beta) e_T"


def test_the_slope_has_the_papers_sign_on_both_sides_of_the_teachers_error_and_of_the_label():
    for side in (1, -1):
        assert side * slope_at(side * 0.5, 0.4, RAMP) == pytest.approx(1.0), "beyond the teacher: inwards, by alpha+"
        assert side * slope_at(side * 0.3, 0.4, RAMP) == pytest.approx(0.5), "within: on inwards, by |alpha-|"
        # alpha- (e_T - 2 e_S) / (beta e_T), outwards on the ramp.
        assert side * slope_at(side * 0.08, 0.4, RAMP) == pytest.approx(-0.5 * 0.24 / 0.16)
        assert slope_at(side * 0.08, 0.4, ZERO) == 0


def test_kd_loss_of_the_figures_is_nearly_flat_at_the_label():
    settings = KDLoss()
    student = torch.full((1, 1, 2), 0.5 + 1e-7, dtype=torch.float64, requires_grad=True)
    truth, confidence = torch.full((1, 1, 2), 0.5, dtype=torch.float64), torch.ones(1, 2, 1)
    teachers = torch.full((1, 2, 1, 2), 0.6, dtype=torch.float64)
    kd_terms(student, truth, teachers, confidence, torch.ones(1, 1), settings).total.backward()
    assert student.grad.sum().item() == pytest.approx(2.5 - 2 * 0.45 / 0.4, abs=1e-5)


def test_main_loss_by_hand_and_without_a_jump():
    distance = torch.tensor([0.1, 0.5, 0.8], dtype=torch.float64)
    assert main_loss(distance, 0.5, 1.0).tolist() == pytest.approx([0.1, 0.5, 0.64 + 0.5 - 0.25])
    assert main_loss(distance, 0.2, 3.0).tolist() == pytest.approx([0.3, 0.25 + 0.6 - 0.04, 0.64 + 0.6 - 0.04])
    below, above = main_loss(torch.tensor([0.2 - 1e-9, 0.2 + 1e-9], dtype=torch.float64), 0.2, 3.0)
    assert above.item() == pytest.approx(below.item(), abs=1e-8)


def one_point(settings, teachers, student=0.5, truth=0.4, confidence=None, labelled=1.0):
    """The terms of one point; `teachers` are the places, the same in x and y."""
    places = torch.tensor(teachers, dtype=torch.float64).reshape(1, -1, 1, 1).expand(1, -1, 1, 2)
    confidence = torch.ones(1, len(teachers), 1) if confidence is None else torch.tensor(confidence).reshape(1, -1, 1)
    student = torch.full((1, 1, 2), student, dtype=torch.float64, requires_grad=True)
    truth = torch.full((1, 1, 2), truth, dtype=torch.float64)
    return kd_terms(student, truth, places, confidence, torch.full((1, 1), labelled), settings)


def test_the_total_of_the_released_code_by_hand():
    # e_S = 0.1; Tough errs by 0.05, Tolerant by 0.2: main loss 3 * 0.1, for 0.1 < tau = 0.2.
    terms = one_point(released_code(), [0.45, 0.2])
    assert terms.main.item() == pytest.approx(0.3)
    assert terms.tough.item() == pytest.approx(1.9 * 0.05)
    assert terms.tolerant.item() == pytest.approx(-0.4 * 0.1)
    assert terms.point_distillation.item() == 0
    assert terms.total.item() == pytest.approx(2 * 0.3 + 0.095 - 0.04)
    assert one_point(released_code(), [0.45, 0.42]).main.item() == pytest.approx(0.01 + 0.06 - 0.0004), "tau = 0.02"


def test_the_total_of_the_figures_by_hand():
    terms = one_point(KDLoss(), [0.45, 0.2])
    assert [terms.main.item(), terms.tough.item(), terms.tolerant.item()] == pytest.approx([0.1, 0.045, -0.045])
    assert terms.total.item() == pytest.approx(0.25)


def test_a_single_teacher_plays_the_role_that_has_a_weight_and_sets_the_threshold():
    settings = released_code()
    tough_only = replace(settings, tolerant=replace(settings.tolerant, weight=0.0))
    alone, beside = one_point(tough_only, [0.45]), one_point(tough_only, [0.45, 0.2])
    assert alone.tough.item() == pytest.approx(1.9 * 0.05)
    assert alone.main.item() == pytest.approx(0.01 + 0.15 - 0.0025), "tau is the only teacher's error, 0.05"
    assert [term.item() for term in vars(alone).values()] == [term.item() for term in vars(beside).values()]
    tolerant_only = replace(settings, tough=replace(settings.tough, weight=0.0))
    assert one_point(tolerant_only, [0.2]).tolerant.item() == pytest.approx(-0.4 * 0.1)
    assert one_point(tolerant_only, [0.2]).tough.item() == 0


def test_without_teachers_the_main_loss_remains():
    plain = replace(KDLoss(), tough=Assistive(weight=0), tolerant=Assistive(weight=0))
    assert one_point(plain, []).total.item() == pytest.approx(2.5 * 0.1)
    tolerant = replace(plain, threshold_from="tolerant")
    assert one_point(tolerant, []).total.item() == pytest.approx(2.5 * 0.1), "the fixed threshold holds"


@pytest.mark.parametrize("teachers", [[], [0.45], [0.45, 0.2, 0.3]])
def test_a_number_of_teachers_that_does_not_fit_is_refused(teachers):
    with pytest.raises(UsageError, match=f"number of teachers, {len(teachers)}"):
        one_point(KDLoss(), teachers)


def test_a_teacher_without_prediction_adds_nothing():
    with_distillation = replace(released_code(), point_distillation_weight=1.0)
    terms = one_point(with_distillation, [NAN, 0.2], confidence=[NAN, 0.5])
    assert terms.tough.item() == 0
    assert terms.tolerant.item() == pytest.approx(-0.04)
    assert terms.point_distillation.item() == pytest.approx(0.3 * 0.5)
    silent = one_point(with_distillation, [0.45, NAN])
    assert silent.main.item() == pytest.approx(0.3), "the fixed threshold holds, 0.5"
    silent.total.backward()


def test_half_a_teacher_counts_half():
    student, truth = torch.full((1, 2, 2), 0.5), torch.full((1, 2, 2), 0.4)
    teachers = torch.full((1, 2, 2, 2), 0.45)
    whole = kd_terms(student, truth, teachers, torch.ones(1, 2, 2), torch.ones(1, 2), KDLoss())
    teachers[0, 0, 1] = NAN
    half = kd_terms(student, truth, teachers, torch.ones(1, 2, 2), torch.ones(1, 2), KDLoss())
    assert half.tough.item() == pytest.approx(whole.tough.item() / 2)
    assert half.tolerant.item() == pytest.approx(whole.tolerant.item())


def test_points_without_label_add_point_distillation_alone():
    settings = replace(KDLoss(), point_distillation_weight=2.0)
    terms = one_point(settings, [0.45, 0.2], truth=NAN, confidence=[1.0, 0.5], labelled=0.0)
    assert [terms.main.item(), terms.tough.item(), terms.tolerant.item()] == [0, 0, 0]
    assert terms.point_distillation.item() == pytest.approx((0.05 + 0.3 * 0.5) / 2)
    assert terms.total.item() == pytest.approx(0.2)


def test_unlabelled_points_do_not_thin_out_the_labelled_ones():
    student = torch.full((1, 2, 2), 0.5)
    truth = torch.tensor([[[0.4, 0.4], [NAN, NAN]]])
    teachers = torch.full((1, 2, 2, 2), 0.45)
    terms = kd_terms(student, truth, teachers, torch.ones(1, 2, 2), torch.tensor([[1.0, 0.0]]), KDLoss())
    assert terms.main.item() == pytest.approx(0.1)
    assert terms.tough.item() == pytest.approx(0.045)


@pytest.mark.parametrize("settings", [KDLoss(), replace(released_code(), point_distillation_weight=1.0)])
def test_a_batch_without_labels_and_predictions_gives_zero_and_a_zero_gradient(settings):
    student = torch.rand(3, 68, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    nothing = torch.full((3, 68, 2), NAN)
    teachers = nothing[:, None].expand(3, 2, 68, 2)
    terms = kd_terms(student, nothing, teachers, torch.full((3, 2, 68), NAN), torch.zeros(3, 68), settings)
    terms.total.backward()
    assert terms.total.item() == 0
    assert student.grad.abs().max().item() == 0


def test_a_teacher_without_error_leaves_a_finite_loss_and_gradient():
    truth = torch.tensor([0.4, 0.4])
    student = torch.tensor([0.4, 0.5], requires_grad=True)
    loss = assistive_loss(student, truth, truth, RAMP)
    loss.sum().backward()
    assert loss.tolist() == pytest.approx([0, 0.1])
    assert student.grad.tolist() == pytest.approx([0, 1])


@pytest.mark.parametrize("settings", [KDLoss(), released_code(), replace(KDLoss(), point_distillation_weight=0.7)])
def test_the_gradient_is_that_of_the_values(settings):
    # One error on the ramp, one beyond the teachers', two between; none on a border (0.03, 0.08, 0.2 and about).
    errors = torch.tensor([0.02, -0.15, 0.3, -0.1], dtype=torch.float64)
    truth = torch.full((2, 1, 2), 0.4, dtype=torch.float64)
    student = (truth + errors.reshape(2, 1, 2)).requires_grad_()
    teachers = torch.stack((truth + 0.2, truth - 0.22), 1).requires_grad_()
    confidence = torch.full((2, 2, 1), 0.8, dtype=torch.float64)

    def total(points):
        return kd_terms(points, truth, teachers, confidence, torch.ones(2, 1), settings).total

    assert torch.autograd.gradcheck(total, student)
    total(student).backward()
    assert teachers.grad is None, "teachers are frozen"


def test_point_distillation_knows_on_which_side_the_teacher_is():
    student = torch.tensor([[[0.5, 0.5]]], requires_grad=True)
    point_distillation(student, torch.tensor([[[0.6, 0.3]]]), torch.tensor([[0.5]])).backward()
    assert student.grad.flatten().tolist() == pytest.approx([-0.25, 0.25])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"weight": -1.0}, "The field weight cannot be -1.0. It has to be 0 or a number above it"),
        ({"positive": 0.0}, "The field positive cannot be 0.0. It has to be a number above 0"),
        ({"negative": 0.1}, "The field negative cannot be 0.1. It has to be a number below 0"),
        ({"beta": 0.0}, "The field beta cannot be 0.0. It has to be a number above 0 and up to 1"),
        ({"beta": 1.5}, "The field beta cannot be 1.5"),
        ({"inner": "x"}, "There is no inner “x”. There are: ramp, zero"),
    ],
)
def test_constants_out_of_range_are_refused(change, match):
    with pytest.raises(UsageError, match=match):
        replace(RAMP, **change)


def test_an_unknown_origin_of_the_threshold_is_refused():
    with pytest.raises(UsageError, match="There is no threshold_from “tough”"):
        KDLoss(threshold_from="tough")


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from([RAMP, ZERO, released_code().tough]))
def test_the_loss_is_positive_only_beyond_the_teacher_and_bounded_within(student_error, teacher_error, constants):
    truth = torch.zeros(1, dtype=torch.float64)
    errors = torch.tensor([student_error], dtype=torch.float64), torch.tensor([teacher_error], dtype=torch.float64)
    loss = assistive_loss(errors[0], errors[1], truth, constants).item()
    if student_error > teacher_error:
        assert loss == pytest.approx(constants.positive * (student_error - teacher_error))
    else:
        assert constants.negative * teacher_error <= loss <= 0
