"""Golden values of the Mann-Kendall test and Sen's slope: pymannkendall 1.4.3, slopes from scipy.

python3 testing/peers/mann_kendall.py > crates/pure/forecast/tests/golden/mann_kendall.json
Needs `pip install pymannkendall scipy`.
"""

import json
import random

import pymannkendall
from scipy.stats import theilslopes


def series():
    random.seed(7)
    yield [random.gauss(0, 1) for _ in range(30)]
    yield [0.3 * i + random.gauss(0, 5) for i in range(100)]
    yield [float(random.randrange(5)) for _ in range(60)]
    yield [10.0 - i // 4 for i in range(40)]
    walk, level = [], 0.0
    for _ in range(120):
        level = 0.95 * level + random.gauss(0, 1)
        walk.append(level)
    yield walk
    yield [1.0, 2.0]


def main():
    cases = []
    for values in series():
        values = [round(value, 6) for value in values]
        found = pymannkendall.original_test(values)
        cases.append(
            {
                "values": values,
                "s": float(found.s),
                "variance": float(found.var_s),
                "z": float(found.z),
                "slope": float(theilslopes(values).slope),
            }
        )
    print(json.dumps(cases))


if __name__ == "__main__":
    main()
