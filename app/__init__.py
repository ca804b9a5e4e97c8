"""The window and the command line."""

import os

# OpenCV reads these when it is imported, so they are set before anything imports it.
# Windows' camera backend otherwise takes up to a minute to open some cameras.
os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
# OpenCV and FFmpeg would log what we report in a sentence.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
