"""Write src/mesoscope/faces/dlib_frontal.svm: dlib's own frontal face detector, in dlib's own format.

    python scripts/save_dlib_detector.py src/mesoscope/faces/dlib_frontal.svm

dlib keeps the detector compressed inside its library and takes a quarter of a second to unpack it at every start;
reading the unpacked file takes two milliseconds. A test checks that both find the same.
"""

from __future__ import annotations

import sys

import dlib

if __name__ == "__main__":
    dlib.get_frontal_face_detector().save(sys.argv[1])
