"""Forecasts of one outside model on one prepared series: `forecast.py FOLDER MODEL`.

Writes FOLDER/MODEL.csv (origin, horizon_min, q05, q50, q90, q95, q99) and FOLDER/MODEL.cpu.csv (CPU seconds of
each refit and of the forecasts after it). Days that are there are not run again, so that a run that was cut
short goes on where it was. `forecast.py FOLDER --list` names the models.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import csv
import logging
import pathlib
import sys
import warnings

import numpy as np

from models import named
from series import HORIZONS, Series, cpu_seconds

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)


def main(folder, name):
    series = Series(folder)
    models = named(series)
    if name == "--list":
        print("\n".join(models))
        return
    model = models[name]()
    out = pathlib.Path(folder) / f"{name}.csv"
    times = pathlib.Path(folder) / f"{name}.cpu.csv"
    done = finished(times)
    if not done:
        out.write_text("origin,horizon_min,q05,q50,q90,q95,q99\n")
        times.write_text("day,origins,fit_cpu_s,forecast_cpu_s\n")
        day = series.days()[0][0]
        model.fit(series.window(day), day)  # imports and compilation are not counted
        model.forecast(series.window(day), day)
    for day, origins in series.days():
        if day not in done:
            rows, fit, forecast = one_day(series, model, day, origins)
            with out.open("a") as file:
                csv.writer(file, lineterminator="\n").writerows(rows)
            with times.open("a") as file:
                file.write(f"{day},{len(origins)},{fit:.6f},{forecast:.6f}\n")


def one_day(series, model, day, origins):
    """Refits at `day`, forecasts at each origin; rows, and CPU seconds of the refit and of the forecasts."""
    before = cpu_seconds()
    shared = model.fit(series.window(day), day)
    fitted = cpu_seconds()
    said = [model.forecast(series.window(origin), origin) for origin in origins]
    ended = cpu_seconds()
    rows = []
    for origin, table in zip(origins, said):
        table = np.maximum.accumulate(np.maximum(np.nan_to_num(table), 0.0), axis=1)
        rows += [[origin, h, *(f"{q:.6g}" for q in row)] for h, row in zip(HORIZONS, table)]
    return rows, fitted - before + shared, ended - fitted


def finished(times):
    if not times.exists():
        return set()
    with times.open() as file:
        return {int(row["day"]) for row in csv.DictReader(file)}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
