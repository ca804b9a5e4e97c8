"""Named training runs: for each name the function that makes its recipe."""

from __future__ import annotations

from collections.abc import Callable

from trainer.recipes import dense_teacher, students
from trainer.recipes import fard_mahoor_2022 as kd_school
from trainer.recipes import hong_lin_2024 as heatmap_school
from trainer.recipes.packs import FROM_TEST_LISTS, MACHINE_LABELLED, PARTLY_DERIVED
from trainer.recipes.schema import Distillation, PackChoice, Recipe, SoftLandmarks

__all__ = [
    "FROM_TEST_LISTS",
    "MACHINE_LABELLED",
    "PARTLY_DERIVED",
    "RECIPES",
    "Distillation",
    "PackChoice",
    "Recipe",
    "SoftLandmarks",
]

RECIPES: dict[str, Callable[[], Recipe]] = {
    "student-68-base": students.student_68_base,
    "student-68-second": students.student_68_second,
    "student-68": students.student_68,
    "student-68-lite-second": students.student_68_lite_second,
    "student-68-lite": students.student_68_lite,
    "teacher-dense-68": dense_teacher.teacher_dense_68,
    "teacher-dense-68-last": dense_teacher.teacher_dense_68_last,
    "teacher-tough-68-first": kd_school.teacher_tough_68_first,
    "teacher-tough-68": kd_school.teacher_tough_68,
    "teacher-tolerant-68": kd_school.teacher_tolerant_68,
    "student-68-one-teacher": kd_school.student_68_one_teacher,
    "student-68-kd": kd_school.student_68_kd,
    "student-68-pull": kd_school.student_68_pull,
    "a-tough": kd_school.a_tough,
    "a-tolerant": kd_school.a_tolerant,
    "a-student-plain": kd_school.a_student_plain,
    "a-student-one-teacher": kd_school.a_student_one_teacher,
    "a-student-kd": kd_school.a_student_kd,
    "student-kd-68-plain": kd_school.student_kd_68_plain,
    "student-kd-68": kd_school.student_kd_68,
    "b-teacher": heatmap_school.b_teacher,
    "b-student-plain": heatmap_school.b_student_plain,
    "b-student-kd": heatmap_school.b_student_kd,
    "improved-student-plain": heatmap_school.improved_student_plain,
    "improved-student-kd": heatmap_school.improved_student_kd,
    "b-teacher-98": heatmap_school.b_teacher_98,
    "b-student-plain-98": heatmap_school.b_student_plain_98,
    "b-student-kd-98": heatmap_school.b_student_kd_98,
    "teacher-star-68": heatmap_school.teacher_star_68,
    "teacher-swinv2-68-first": heatmap_school.teacher_swinv2_68_first,
    "teacher-swinv2-68": heatmap_school.teacher_swinv2_68,
    "student-mvit2-68-plain": heatmap_school.student_mvit2_68_plain,
    "student-mvit2-68-base": heatmap_school.student_mvit2_68_base,
    "student-mvit2-68-second": heatmap_school.student_mvit2_68_second,
    "student-mvit2-68-third": heatmap_school.student_mvit2_68_third,
    "student-mvit2-68": heatmap_school.student_mvit2_68,
    "student-mvit2-68-256": heatmap_school.student_mvit2_68_256,
    "student-mvit2-68-alone-base": heatmap_school.student_mvit2_68_alone_base,
    "student-mvit2-68-alone-second": heatmap_school.student_mvit2_68_alone_second,
    "student-mvit2-68-alone-third": heatmap_school.student_mvit2_68_alone_third,
    "student-mvit2-68-alone": heatmap_school.student_mvit2_68_alone,
    "faithful-mvit2-68-base": heatmap_school.faithful_mvit2_68_base,
    "faithful-mvit2-68": heatmap_school.faithful_mvit2_68,
    "student-mvit2-98": heatmap_school.student_mvit2_98,
}
