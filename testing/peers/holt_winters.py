"""Golden forecasts of statsmodels' Holt-Winters for crates/pure/policy/src/rivals/phpa.

Run with statsmodels 0.15 (`pip install statsmodels`): `python3 holt_winters.py > holt_winters.csv`. Each row is
a case: form, period, smoothing, length, forecast of the next value. The series is 8 + t / 40 + (7 t mod P) +
(13 t mod 5) / 2, so that both sides can make it.
"""

import math
import warnings

from statsmodels.tsa.api import ExponentialSmoothing

warnings.simplefilter("ignore")


def series(period, length):
    return [8 + t / 40 + (7 * t % period) + (13 * t % 5) / 2 for t in range(length)]


print("trend,seasonal,initial,period,alpha,beta,gamma,length,forecast")
for trend in ["add", "mul"]:
    for seasonal in ["add", "mul"]:
        for initial in ["estimated", "heuristic"]:
            for period, alpha, beta, gamma in [(6, 0.5, 0.1, 0.3), (12, 0.2, 0.05, 0.4), (5, 0.9, 0.4, 0.05)]:
                for length in [4 * period + 2, 5 * period + 1]:
                    if length < 10 + 2 * (period // 2):
                        continue
                    model = ExponentialSmoothing(
                        series(period, length),
                        trend=trend,
                        seasonal=seasonal,
                        seasonal_periods=period,
                        initialization_method=initial,
                    )
                    fit = model.fit(
                        smoothing_level=alpha, smoothing_trend=beta, smoothing_seasonal=gamma
                    )
                    value = fit.forecast(steps=1)[0]
                    if math.isfinite(value):
                        print(trend, seasonal, initial, period, alpha, beta, gamma, length, repr(float(value)), sep=",")
