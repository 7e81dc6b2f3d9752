"""A prepared series: values by the minute, where to forecast, and holes filled."""

import csv
import os
import pathlib
import time

import numpy as np

DAY = 1440
WEEK = 7 * DAY
WINDOW = 14 * DAY  # minutes that a daily refit sees
HORIZONS = (5, 15, 60)  # minutes
LEVELS = (0.05, 0.5, 0.9, 0.95, 0.99)


class Series:
    """`values[i]` is the mean rate of minute `i`, holes filled; `start` the first one (since the epoch)."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        with open(folder / "about.csv") as file:
            about = [(row["key"], int(row["value"])) for row in csv.DictReader(file)]
        self.folder, self.start = folder, dict(about)["start_min"]
        self.periods = [value for key, value in about if key == "period_min"]
        self.values = np.loadtxt(folder / "series.csv", skiprows=1)
        with open(folder / "origins.csv") as file:
            self.origins = sorted({int(row["origin"]) for row in csv.DictReader(file)})

    def days(self):
        """Origins by day: (minute of the refit, which is a midnight, origins until the next)."""
        first = -self.start % DAY  # the first midnight
        by_day = {}
        for origin in self.origins:
            by_day.setdefault(first + (origin - first) // DAY * DAY, []).append(origin)
        return sorted(by_day.items())

    def window(self, end):
        """What a refit at `end` learns from."""
        return self.values[max(0, end - WINDOW) : end]


def kept(path, compute):
    """Arrays that `compute` gives, kept at `path` for the models that share them, and the CPU seconds that
    they once took, to be added where they are taken from there."""
    if path.exists():
        with np.load(path) as found:
            return [found[f"arr_{i}"] for i in range(len(found) - 1)], float(found["cpu"])
    before = cpu_seconds()
    arrays = compute()
    np.savez(path, *arrays, cpu=cpu_seconds() - before)
    return arrays, 0.0


def cpu_seconds():
    """CPU time of this process and of what it has started (Prophet's optimiser is a program of its own)."""
    children = os.times()
    return time.process_time() + children.children_user + children.children_system
