"""The outside models: each is fitted at midnight and then forecasts from a series that has grown.

`fit(y, end)` learns from `y`, the minutes before `end`; `forecast(y, origin)` takes the minutes before
`origin` and gives one row of quantiles per horizon, without a refit. `fit` returns CPU seconds of what it
took over from another model.
"""

import numpy as np
from statsforecast.models import AutoARIMA, AutoETS, AutoTheta
from statsforecast.mstl import mstl

from series import DAY, HORIZONS, LEVELS, WEEK, kept

INTERVALS = [80, 90, 98]
STEPS = [h - 1 for h in HORIZONS]
TREND_WINDOW = DAY  # minutes on which the parameters of a non-seasonal model are found
STATE_WINDOW = DAY  # minutes that a state update runs over
# R's mstl evaluates loess at every tenth of its window and interpolates; statsmodels at every point
# unless told, which at a period of a week takes minutes a fit.
JUMPS = {"seasonal_jump": 1, "trend_jump": 200, "low_pass_jump": 144}

TRENDS = {
    "autoets": lambda: AutoETS(season_length=1, model="ZZN"),
    "autoarima": lambda: AutoARIMA(season_length=1),
    "autotheta": lambda: AutoTheta(season_length=1),
}


def quantiles(said):
    """Rows of quantiles at HORIZONS from statsforecast's answer."""
    columns = [said["lo-90"], said["mean"], said["hi-80"], said["hi-90"], said["hi-98"]]
    return np.stack([np.asarray(column)[STEPS] for column in columns], axis=1)


class Plain:
    """A non-seasonal model of statsforecast on the minutes."""

    def __init__(self, trend):
        self.trend = trend

    def fit(self, y, end):
        self.model = TRENDS[self.trend]().fit(y[-TREND_WINDOW:])
        return 0.0

    def forecast(self, y, origin):
        return quantiles(self.model.forward(y[-STATE_WINDOW:], h=max(HORIZONS), level=INTERVALS))


class Mstl:
    """MSTL with a non-seasonal model for trend and remainder. The seasons stay those of the refit until
    the next (MSTL.forward would decompose two weeks anew at each forecast); the trend model goes on."""

    def __init__(self, trend, series):
        self.trend, self.series = trend, series

    def fit(self, y, end):
        periods = [p for p in self.series.periods if len(y) >= 2 * p]

        def decompose():
            found = mstl(y, periods, stl_kwargs=JUMPS)
            names = [f"seasonal{p}" if len(periods) > 1 else "seasonal" for p in periods]
            return [found[name].values[-p:] for p, name in zip(periods, names)]

        path = self.series.folder / f"mstl-{end}.npz"
        seasons, cpu = kept(path, decompose)
        self.seasons, self.end = list(zip(periods, seasons)), end
        adjusted = y - self.season(np.arange(end - len(y), end))
        self.model = TRENDS[self.trend]().fit(adjusted[-TREND_WINDOW:])
        return cpu

    def forecast(self, y, origin):
        at = np.arange(origin - STATE_WINDOW, origin)
        adjusted = y[-STATE_WINDOW:] - self.season(at)
        said = quantiles(self.model.forward(adjusted, h=max(HORIZONS), level=INTERVALS))
        return said + self.season(origin + np.array(STEPS))[:, None]

    def season(self, minutes):
        return sum(values[(minutes - self.end) % period] for period, values in self.seasons)


class Prophet:
    """Prophet on 5-minute means, daily and weekly seasons. It has no state to update; with `level` its
    forecast is moved by its mean error over the last 10 minutes, as users do."""

    AVERAGE = 5

    def __init__(self, series, level):
        import pandas
        import prophet

        self.series, self.level, self.modules = series, level, (pandas, prophet)

    def fit(self, y, end):
        # The quantiles of the whole day at once: Prophet's costs are per call.
        self.ahead = np.arange(end - 10, end + DAY + max(HORIZONS), self.AVERAGE)
        (self.table,), cpu = kept(self.series.folder / f"prophet-{end}.npz", lambda: [self.day(y, end)])
        return cpu

    def day(self, y, end):
        pandas, library = self.modules
        whole = y[len(y) % self.AVERAGE :].reshape(-1, self.AVERAGE).mean(axis=1)
        at = end - self.AVERAGE * np.arange(len(whole), 0, -1)
        stamps = lambda minutes: pandas.to_datetime((self.series.start + minutes) * 60, unit="s")
        model = library.Prophet(weekly_seasonality=len(y) >= 2 * WEEK, uncertainty_samples=200)
        model.fit(pandas.DataFrame({"ds": stamps(at), "y": whole}), seed=1)
        np.random.seed(1)
        samples = model.predictive_samples(pandas.DataFrame({"ds": stamps(self.ahead)}))["yhat"]
        return np.quantile(samples, LEVELS, axis=1)

    def forecast(self, y, origin):
        if self.level:
            recent = np.arange(origin - 10, origin)
            shift = np.mean(y[-10:] - self.at(recent)[1])
        else:
            shift = 0.0
        return self.at(origin + np.array(STEPS)).T + shift

    def at(self, minutes):
        return np.stack([np.interp(minutes, self.ahead + 2, row) for row in self.table])


class LightGbm:
    """Quantile regression by boosted trees, one model per horizon and level: the ratio of the target to the
    recent level, from recent ratios, the days before, and the time. Darts wraps the same library."""

    def __init__(self, start):
        import lightgbm

        self.offset, self.library = start, lightgbm

    def fit(self, y, end):
        first = min(DAY, len(y) // 3)
        rows = np.arange(max(first, DAY + 60) if len(y) > 2 * DAY else first, len(y) - max(HORIZONS), 3)
        common = dict(objective="quantile", num_leaves=15, learning_rate=0.1, min_data_in_leaf=40,
                      num_threads=1, verbose=-1, seed=1, deterministic=True)
        self.models = []
        for step in STEPS:
            x, level = self.features(y, rows, step, end - len(y))
            target = y[rows + step] / level
            data = self.library.Dataset(x, target, free_raw_data=False, params={"verbose": -1, "num_threads": 1})
            self.models.append([self.library.train({**common, "alpha": q}, data, num_boost_round=60) for q in LEVELS])
        return 0.0

    def forecast(self, y, origin):
        rows = np.array([len(y)])
        out = []
        for step, models in zip(STEPS, self.models):
            x, level = self.features(y, rows, step, origin - len(y))
            out.append(np.sort([model.predict(x, num_threads=1)[0] for model in models]) * level[0])
        return np.array(out)

    def features(self, y, rows, step, base):
        """Features of forecasts at `rows` (indices into `y`, whose first minute is `base`)."""
        sums = np.concatenate([[0.0], np.cumsum(y)])
        mean = lambda end, n: (sums[end] - sums[end - n]) / n
        level = mean(rows, 5) + 1e-3 * (y.mean() + 1e-9)
        columns = [y[rows - k] / level for k in (1, 2, 3, 5)]
        columns += [mean(rows, n) / level for n in (10, 20, 60, 180)]
        before = np.maximum(rows - DAY, 5)
        columns += [y[np.maximum(rows - DAY, 0) + step] / level, mean(before + step + 5, 10) / level]
        columns += [mean(before + step + 5, 10) / (mean(before, 5) + 1e-9)]
        target = self.offset + base + rows + step
        columns += [target % DAY, target % 60, target // DAY % 7, level]
        return np.stack(columns, axis=1), level


def named(series):
    """All models that run on a series, by name, each as a function that makes it."""
    found = {name: lambda name=name: Plain(name) for name in TRENDS}
    for trend in ("autoets", "autoarima"):
        found[f"mstl-{trend}"] = lambda trend=trend: Mstl(trend, series)
    found["prophet"] = lambda: Prophet(series, False)
    found["prophet-level"] = lambda: Prophet(series, True)
    found["lightgbm"] = lambda: LightGbm(series.start)
    return found
