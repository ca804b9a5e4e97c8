"""Measure landmarks of your own on a pack, beside those of a model: python evaluate_own.py PACK

Here they are those of an average face, placed in the true box. Put your own function in its place.
"""

import sys

import numpy as np

import understudy

evaluation = understudy.Evaluation(sys.argv[1])


def corners(face):
    x0, y0, x1, y1 = face.box
    return np.array([x0, y0]), np.array([x1 - x0, y1 - y0])


def in_box(face):
    """Return the labels of a face as shares of its box."""
    origin, size = corners(face)
    return (face.points - origin) / size


average = np.nanmean([in_box(face) for face in evaluation.faces], axis=0)


def own_landmarks(face):
    """Return landmarks [K, 2] in pixels of the picture at `face.image`; None if no face was found in `face.box`."""
    origin, size = corners(face)
    return origin + average * size


own = evaluation.of_points([own_landmarks(face) for face in evaluation.faces])
student = evaluation.of(understudy.load("student-68"))
print(f"average face: {own.nme:.4f} % of the eye distance on {own.n} faces")
print(f"student-68:   {student.nme:.4f} %")
