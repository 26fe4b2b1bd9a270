"""Forecasts series with the forecasters that entangle is measured beside.

Reads JSON lines from standard input, one series each:
    {"id", "values", "startMillis", "stepSeconds", "seasons", "horizonSteps"}
and writes one JSON line for each, in their order:
    {"id", "points", "quantiles": {"0.025", "0.1", "0.5", "0.9", "0.975"}, "cpuMillis"}  or  {"id", "error"}
cpuMillis is user and system time of this process and of those that it started.
"""

import argparse
import json
import logging
import math
import os
import resource
import sys
import warnings
from typing import Any, Callable, Dict, List, TextIO

# One thread each, so that CPU time is that of the method and not of threads waiting for each other.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np

Series = Dict[str, Any]
# Quantiles by level.
Quantiles = Dict[str, List[float]]
Forecaster = Callable[[Series], Quantiles]

LEVELS = ("0.025", "0.1", "0.5", "0.9", "0.975")
SHORTEST_SHOWN = 2


def shown_seasons(series: Series) -> List[int]:
    """The seasons that the values show twice, shortest first."""
    steps = len(series["values"])
    return sorted(season for season in series["seasons"] if SHORTEST_SHOWN * season <= steps)


def statsforecast(make_model: Callable[[List[int]], Any]) -> Forecaster:
    """A model of statsforecast; its 80 % and 95 % intervals are the outer quantiles, its mean the median."""

    def forecast(series: Series) -> Quantiles:
        values = np.asarray(series["values"], dtype=float)
        made = make_model(shown_seasons(series)).forecast(y=values, h=series["horizonSteps"], level=[80, 95])
        names = ("lo-95", "lo-80", "mean", "hi-80", "hi-95")
        return {level: [float(each) for each in made[name]] for level, name in zip(LEVELS, names)}

    return forecast


def auto_arima() -> Forecaster:
    """AutoARIMA as it comes, with the shortest season."""
    from statsforecast.models import AutoARIMA

    return statsforecast(lambda seasons: AutoARIMA(season_length=seasons[0] if seasons else 1))


def mstl_auto_arima() -> Forecaster:
    """Decomposition into all seasons shown, AutoARIMA for the trend."""
    from statsforecast.models import MSTL, AutoARIMA

    return statsforecast(
        lambda seasons: MSTL(season_length=seasons, trend_forecaster=AutoARIMA()) if seasons else AutoARIMA()
    )


def dynamic_optimized_theta() -> Forecaster:
    """DynamicOptimizedTheta with the shortest season."""
    from statsforecast.models import DynamicOptimizedTheta

    return statsforecast(lambda seasons: DynamicOptimizedTheta(season_length=seasons[0] if seasons else 1))


def prophet() -> Forecaster:
    """Prophet as it comes; quantiles of its predictive samples."""
    import pandas
    from prophet import Prophet

    def times(series: Series, first: int, count: int) -> Any:
        steps = first + np.arange(count, dtype=np.int64)
        return pandas.to_datetime(series["startMillis"] + steps * series["stepSeconds"] * 1000, unit="ms")

    def forecast(series: Series) -> Quantiles:
        values = series["values"]
        model = Prophet()
        model.fit(pandas.DataFrame({"ds": times(series, 0, len(values)), "y": values}))
        ahead = pandas.DataFrame({"ds": times(series, len(values), series["horizonSteps"])})
        # The samples are drawn from numpy's global state.
        np.random.seed(0)
        samples = model.predictive_samples(ahead)["yhat"]
        rows = np.quantile(samples, [float(level) for level in LEVELS], axis=1)
        return {level: row.tolist() for level, row in zip(LEVELS, rows)}

    return forecast


def fracast() -> Forecaster:
    """Fracast-0 with the weights in its wheel. It tells levels from .1 to .9: the outer two are those of a normal tail."""
    import torch
    from fracast import FracastModel

    torch.set_num_threads(1)
    model = FracastModel.from_pretrained()
    place = {round(level, 3): index for index, level in enumerate(model.quantiles)}
    outward = 1.959964 / 1.281552

    def forecast(series: Series) -> Quantiles:
        made = model.forecast(np.asarray(series["values"]), horizon=series["horizonSteps"]).astype(float)
        low, median, high = (made[:, place[level]] for level in (0.1, 0.5, 0.9))
        rows = (median + (low - median) * outward, low, median, high, median + (high - median) * outward)
        return {level: row.tolist() for level, row in zip(LEVELS, rows)}

    return forecast


PEERS: Dict[str, Callable[[], Forecaster]] = {
    "auto-arima": auto_arima,
    "mstl-auto-arima": mstl_auto_arima,
    "dynamic-optimized-theta": dynamic_optimized_theta,
    "prophet": prophet,
    "fracast": fracast,
}


def cpu_seconds() -> float:
    """User and system time of this process and of its children that ended: Prophet's Stan is a program of its own."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def answer(forecaster: Forecaster, series: Series) -> Dict[str, Any]:
    """What is written for one series."""
    before = cpu_seconds()
    try:
        quantiles = forecaster(series)
    except Exception as error:  # A peer that fails on a series is counted, whatever it raises.
        return {"id": series["id"], "error": f"{type(error).__name__}: {error}"}
    cpu_millis = (cpu_seconds() - before) * 1000
    if not all(math.isfinite(value) for row in quantiles.values() for value in row):
        return {"id": series["id"], "error": "a value that is not finite"}
    return {"id": series["id"], "points": quantiles["0.5"], "quantiles": quantiles, "cpuMillis": cpu_millis}


def main(lines: TextIO, written: TextIO) -> None:
    """Forecasts every line with the peer that the command names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=sorted(PEERS))
    forecaster = PEERS[parser.parse_args().peer]()
    for line in lines:
        written.write(json.dumps(answer(forecaster, json.loads(line))) + "\n")
        written.flush()


if __name__ == "__main__":
    # Libraries that print would break the lines: what they say goes to standard error.
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    main(sys.stdin, results)
