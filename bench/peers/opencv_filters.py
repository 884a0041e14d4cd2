"""OpenCV's filters on a picture in a file, timed: run by an interpreter that has opencv-python-headless.

python opencv_filters.py picture.npy kernel.npy rounds   prints a line of seconds for uint8 and one for float64
"""

import sys
import time

import cv2
import numpy as np


def main() -> None:
    """`filter2D` from uint8 to int16 or float32 as the kernel asks, and on float64 throughout."""
    picture, kernel = np.load(sys.argv[1]), np.load(sys.argv[2])
    whole = kernel.dtype.kind == "i"
    for image, depth in (
        (picture, cv2.CV_16S if whole else cv2.CV_32F),
        (picture.astype(np.float64), cv2.CV_64F),
    ):
        taken = []
        for _ in range(int(sys.argv[3]) + 1):
            start = time.perf_counter()
            cv2.filter2D(image, depth, kernel.astype(np.float64))
            taken.append(time.perf_counter() - start)
        print(*taken[1:])
    print(f"OpenCV {cv2.__version__}, {cv2.getNumThreads()} threads")


main()
