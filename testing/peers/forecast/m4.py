"""Forecasts of statsforecast on M4 Hourly: `m4.py TRAIN.csv.gz OUT_FOLDER`.

Writes OUT_FOLDER/METHOD.csv, a line of 48 numbers per series. AutoARIMA and AutoETS with a season of 24 take
hours for 414 series and are not run.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import csv
import gzip
import pathlib
import sys
import warnings

import numpy as np
from statsforecast.models import MSTL, AutoETS, DynamicOptimizedTheta

warnings.filterwarnings("ignore")

AHEAD = 48
METHODS = {
    "statsforecast MSTL(24 168) + AutoETS": lambda: MSTL([24, 168], trend_forecaster=AutoETS(model="ZZN")),
    "statsforecast DynamicOptimizedTheta": lambda: DynamicOptimizedTheta(season_length=24),
}


def main(train, out):
    pathlib.Path(out).mkdir(parents=True, exist_ok=True)
    with gzip.open(train, "rt") as file:
        rows = [[float(cell) for cell in row[1:] if cell] for row in list(csv.reader(file))[1:]]
    for name, make in METHODS.items():
        path = pathlib.Path(out) / f"{name}.csv"
        if not path.exists():
            said = [make().forecast(y=np.array(row), h=AHEAD)["mean"] for row in rows]
            path.write_text("".join(",".join(f"{v:.6g}" for v in row) + "\n" for row in said))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
