"""The benchmark's queue as a SimPy model: prints requests per CPU second.

20 replicas of 4 slots, power of two choices, log-normal work (mean 200 ms, cv 1), Poisson arrivals at
70 % load. Nothing else: no metrics, no policy.
"""

import math
import random
import time

import simpy

REQUESTS = 200_000
RATE = 0.7 * 20 * 4 / 0.2


def main():
    draws = random.Random(1)
    sigma = math.sqrt(math.log(2.0))
    mu = math.log(0.2) - sigma * sigma / 2
    env = simpy.Environment()
    replicas = [simpy.Resource(env, capacity=4) for _ in range(20)]
    times = []

    def request(replica, work):
        arrived = env.now
        with replica.request() as slot:
            yield slot
            yield env.timeout(work)
        times.append(env.now - arrived)

    def arrivals():
        for _ in range(REQUESTS):
            yield env.timeout(draws.expovariate(RATE))
            a, b = draws.sample(replicas, 2)
            better = b if b.count + len(b.queue) < a.count + len(a.queue) else a
            env.process(request(better, draws.lognormvariate(mu, sigma)))

    env.process(arrivals())
    before = time.process_time()
    env.run()
    seconds = time.process_time() - before
    assert len(times) == REQUESTS
    print(REQUESTS / seconds)


if __name__ == "__main__":
    main()
