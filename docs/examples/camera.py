"""Report how the heads before a camera are turned: python camera.py 0, or the name or the address of a camera

A second argument, a number, ends it after so many frames.
"""

import sys

import understudy

model = understudy.load("student-68")
limit = int(sys.argv[2]) if len(sys.argv) > 2 else None
for result in model.track(sys.argv[1], limit=limit):
    for face in result.faces:
        yaw, mouth = face.signals["yaw"], face.signals["mouth"]
        print(f"frame {result.number}: face {face.id} is turned by {yaw:.0f} degrees, its mouth {mouth:.0%} open")
