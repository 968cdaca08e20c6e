"""How the packaged bundle ``mesoscope-face`` was made: one short, honest run from pictures to bundle.

``python -m mesoscope_train.face_bundle train --data DIR --out DIR`` trains and exports it,
``python -m mesoscope_train.face_bundle measure --data DIR --bundle B`` measures it on data it never saw.
"""
