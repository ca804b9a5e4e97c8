"""Hide the eyes of everybody in a video behind a bar: python own_filter.py clip.mp4 hidden.mp4"""

import sys

import cv2
import numpy as np

import understudy

RIGHT_EYE, LEFT_EYE = slice(36, 42), slice(42, 48)

model, video = understudy.load("student-68"), None
rate = cv2.VideoCapture(sys.argv[1]).get(cv2.CAP_PROP_FPS) or 25.0
for result in model.track(sys.argv[1], max_faces=20, thorough=True):
    picture = np.ascontiguousarray(result.image[..., ::-1])  # a copy, in the order of OpenCV: BGR
    for face in result.faces:
        right, left = face.points[RIGHT_EYE].mean(0), face.points[LEFT_EYE].mean(0)
        across, thickness = (left - right) * 0.5, int(np.linalg.norm(left - right) * 0.6)
        begin, end = (right - across).astype(int).tolist(), (left + across).astype(int).tolist()
        cv2.line(picture, begin, end, (0, 0, 0), max(1, thickness))
    if video is None:
        size = picture.shape[1], picture.shape[0]
        video = cv2.VideoWriter(sys.argv[2], cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
    video.write(picture)
if video is not None:
    video.release()
