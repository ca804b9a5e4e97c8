"""Shows the frames that come through standard input as a camera: python send_frames.py WIDTH HEIGHT RATE.

Understudy runs this program as a process of its own with a Python that has the packages pyvirtualcam (GPL-2.0) and
numpy. It imports nothing of Understudy, and Understudy imports nothing of it. It says what happens in lines of JSON:
{"device": NAME} once the camera is there, {"problem": "package" | "device" | "lost", "detail": TEXT} if it ends early.

You may use this one file under the MIT licence, too, so that it goes with the licence of pyvirtualcam.
"""

import json
import sys


def report(**values: str) -> None:
    """Say something to Understudy."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def main(width: int, height: int, rate: float) -> int:
    """Send frames, [height, width, 3] uint8 BGR, until no more come; return the exit code."""
    try:
        import numpy
        import pyvirtualcam
    except ImportError as error:
        report(problem="package", detail=str(error))
        return 1
    opened = False
    try:
        with pyvirtualcam.Camera(width, height, rate, fmt=pyvirtualcam.PixelFormat.BGR) as camera:
            opened = True
            report(device=camera.device)
            size = width * height * 3
            while len(data := sys.stdin.buffer.read(size)) == size:
                camera.send(numpy.frombuffer(data, numpy.uint8).reshape(height, width, 3))
    except Exception as error:  # noqa: BLE001  drivers of three systems: whatever they raise is reported
        report(problem="lost" if opened else "device", detail=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
