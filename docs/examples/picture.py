"""Draw the landmarks of a picture: python picture.py portrait.jpg drawn.jpg"""

import sys

import numpy as np
from PIL import Image, ImageDraw, ImageOps

import understudy

picture = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGB")
model = understudy.load("student-68")
drawing = ImageDraw.Draw(picture)
for face in model.landmarks(np.asarray(picture)):
    print(f"a face of score {face.score:.2f}, the tip of its nose at {face.points[30]}")
    for x, y in face.points:
        drawing.circle((x, y), 2, fill="lime")
picture.save(sys.argv[2])
