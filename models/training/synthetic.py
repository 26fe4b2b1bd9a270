"""Seeded synthetic hourly series: sums and products of random functions, and the shapes that cloud demand takes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Series = np.ndarray
Rng = np.random.Generator


def smooth(rng: Rng, steps: int, length: float) -> Series:
    """A draw from a Gaussian process with an RBF kernel of that length, by filtering white noise; unit variance."""
    size = 1 << (steps + int(4 * length)).bit_length()
    size = min(size, 1 << 13)
    spectrum = np.fft.rfft(rng.standard_normal(size))
    frequency = np.arange(len(spectrum)) / size
    draw = np.fft.irfft(spectrum * np.exp(-((np.pi * frequency * length) ** 2)), size)[:steps]
    return draw / (draw.std() + 1e-9)


def periodic(rng: Rng, steps: int, period: float, start: float | None = None) -> Series:
    """A random function that repeats itself: Fourier terms whose sizes fall off at a random rate; unit variance."""
    terms = max(1, min(int(period // 2), 24))
    decay = rng.uniform(0.05, 1.5)
    sizes = np.exp(-decay * np.arange(terms))
    if rng.random() < 0.2:
        sizes[rng.integers(terms)] += 1.0
    phase = (np.arange(steps) + (rng.uniform(0, period) if start is None else start)) * (2 * np.pi / period)
    draw = np.zeros(steps)
    for index, size in enumerate(sizes):
        if size < 0.01:
            continue
        a, b = rng.standard_normal(2) * size
        draw += a * np.cos((index + 1) * phase) + b * np.sin((index + 1) * phase)
    return draw / (draw.std() + 1e-9)


def autoregressive(rng: Rng, steps: int, memory: float, tail: bool = False) -> Series:
    """AR(1) noise of unit variance; with heavy tails on request."""
    shocks = rng.standard_t(3, steps) / 1.7 if tail else rng.standard_normal(steps)
    kernel = memory ** np.arange(min(steps, 400)) if memory > 0 else np.ones(1)
    return np.convolve(shocks, kernel)[:steps] * np.sqrt(1 - min(memory, 0.999) ** 2)


def walk(rng: Rng, steps: int) -> Series:
    draw = np.cumsum(rng.standard_normal(steps))
    return draw / (draw.std() + 1e-9)


def rational_quadratic(rng: Rng, steps: int) -> Series:
    """A rational quadratic kernel is a scale mixture of RBF kernels: a few of them, of random lengths."""
    base = steps * rng.choice([0.02, 0.1, 0.4])
    return sum(smooth(rng, steps, base * np.exp(rng.standard_normal())) for _ in range(3)) / np.sqrt(3)


def kernel_draw(rng: Rng, steps: int) -> Series:
    """One base function of the compositions; the periods are those of a day, a week and a work shift."""
    kind = rng.choice(
        ["daily", "weekly", "half", "other", "rbf", "linear", "rq", "white", "constant", "walk", "ar"],
        p=[0.28, 0.14, 0.06, 0.06, 0.12, 0.06, 0.06, 0.06, 0.04, 0.06, 0.06],
    )
    if kind == "daily":
        return periodic(rng, steps, 24)
    if kind == "weekly":
        return periodic(rng, steps, 168)
    if kind == "half":
        return periodic(rng, steps, 12)
    if kind == "other":
        return periodic(rng, steps, float(rng.choice([4, 6, 8, 36, 48, 72, 84, rng.uniform(5, 200)])))
    if kind == "rbf":
        return smooth(rng, steps, steps * rng.choice([0.01, 0.03, 0.1, 0.3, 1.0]))
    if kind == "linear":
        return rng.standard_normal() * np.linspace(-1, 1, steps) + rng.standard_normal()
    if kind == "rq":
        return rational_quadratic(rng, steps)
    if kind == "white":
        return rng.standard_normal(steps) * rng.choice([0.1, 0.3, 1.0])
    if kind == "walk":
        return walk(rng, steps)
    if kind == "ar":
        return autoregressive(rng, steps, rng.uniform(0.3, 0.99))
    return np.full(steps, rng.standard_normal())


def composition(rng: Rng, steps: int) -> Series:
    """Random sums and products of base functions (after KernelSynth, in function space), with measurement noise."""
    draw = kernel_draw(rng, steps)
    for _ in range(rng.integers(1, 6)):
        other = kernel_draw(rng, steps) * rng.choice([0.5, 1.0, 1.0, 2.0])
        draw = draw + other if rng.random() < 0.6 else draw * other
    noise = 10 ** rng.uniform(-3, -0.2)
    return draw + noise * (draw.std() + 1e-3) * rng.standard_normal(steps)


def day_profile(rng: Rng) -> Series:
    """24 values from 0 to 1: humps at random hours, office hours, or a smooth random shape."""
    hours = np.arange(24)
    kind = rng.random()
    if kind < 0.55:
        shape = np.zeros(24)
        for _ in range(rng.integers(1, 4)):
            width = rng.uniform(0.3, 6)
            shape += rng.uniform(0.3, 1) * np.exp(width * (np.cos((hours - rng.uniform(0, 24)) * np.pi / 12) - 1))
    elif kind < 0.75:
        begin, length = rng.integers(24), rng.integers(2, 16)
        shape = (((hours - begin) % 24) < length).astype(float)
        if rng.random() < 0.5:
            shape = np.convolve(np.tile(shape, 3), [0.25, 0.5, 0.25], "same")[24:48]
    else:
        shape = periodic(rng, 24, 24, start=0)
    shape = shape - shape.min()
    return (shape / (shape.max() + 1e-9)) ** rng.choice([0.5, 1.0, 1.0, 2.0])


def demand_shape(rng: Rng, steps: int) -> Series:
    """Days and weeks of a service: a profile, another one at weekends perhaps, days of unequal size."""
    days = steps // 24 + 2
    profile = day_profile(rng)
    weekday = (np.arange(days) + rng.integers(7)) % 7
    factor = np.ones(days)
    weekend = weekday >= 5
    kind = rng.random()
    if kind < 0.45:
        factor[weekend] = rng.uniform(0.1, 1.3)
    elif kind < 0.6:
        factor = rng.uniform(0.4, 1.2, 7)[weekday]
    if rng.random() < 0.7:
        factor = factor * np.exp(rng.uniform(0, 0.3) * autoregressive(rng, days, rng.uniform(0, 0.9)))
    shape = np.outer(factor, profile)
    if kind < 0.45 and rng.random() < 0.3:
        shape[weekend] = np.outer(factor[weekend], day_profile(rng))
    begin = rng.integers(24)
    return shape.ravel()[begin : begin + steps]


def level_changes(rng: Rng, steps: int, size: float) -> Series:
    """Level shifts, ramps and trends, as an additive path."""
    path = np.zeros(steps)
    for _ in range(rng.poisson(0.8)):
        at = rng.integers(steps)
        jump = size * rng.standard_normal()
        if rng.random() < 0.7:
            path[at:] += jump
        else:
            path += jump * np.clip((np.arange(steps) - at) / rng.uniform(12, 200), 0, 1)
    if rng.random() < 0.3:
        path += size * rng.standard_normal() * np.linspace(0, 1, steps)
    if rng.random() < 0.35:
        path += size * rng.uniform(0.05, 0.6) * smooth(rng, steps, rng.uniform(24, 300))
    return path


def spikes(rng: Rng, steps: int) -> Series:
    """Bursts at random times with heavy-tailed sizes that die away."""
    draw = np.zeros(steps)
    hits = rng.random(steps) < rng.choice([0.002, 0.01, 0.03])
    draw[hits] = np.minimum(rng.pareto(rng.uniform(1.2, 3), hits.sum()) + 0.5, 30)
    fade = rng.choice([0.0, 0.0, 0.3, 0.7, 0.9])
    return np.convolve(draw, fade ** np.arange(40))[:steps] if fade else draw


def bursts(rng: Rng, steps: int) -> Series:
    """Now and then a few hours of work, as large as it is rare; never at the same time again."""
    draw = np.zeros(steps)
    for _ in range(rng.poisson(steps * rng.choice([0.001, 0.004, 0.012])) + 1):
        at, length = rng.integers(steps), int(rng.exponential(rng.choice([2, 6, 14]))) + 1
        draw[at : at + length] += np.exp(0.7 * rng.standard_normal())
    return draw


def recent_event(rng: Rng, series: Series) -> Series:
    """Something that happened shortly before the end of the histories that are cut from the series: a burst, or a new level."""
    draw, spread = series.copy(), series.std() + 1e-9
    at = len(draw) - 48 - int(rng.integers(1, 110))
    size = spread * rng.choice([-1, 1, 1]) * np.exp(rng.uniform(-0.5, 2))
    length = len(draw) if rng.random() < 0.4 else int(rng.exponential(rng.choice([2, 8, 20]))) + 1
    draw[at : at + length] += size
    return draw


def jobs(rng: Rng, steps: int) -> Series:
    """A batch job every k hours, now and then skipped or larger."""
    every = int(rng.choice([2, 3, 4, 6, 8, 12, 24, 24, 24, 48, 168]))
    runs = steps // every + 2
    size = np.exp(rng.uniform(0, 0.4) * rng.standard_normal(runs)) * (rng.random(runs) > rng.choice([0, 0.05, 0.2]))
    length = int(rng.integers(1, max(2, min(every // 2, 8)) + 1))
    shape = np.zeros((runs, every))
    shape[:, :length] = size[:, None]
    begin = rng.integers(every)
    return shape.ravel()[begin : begin + steps]


def telegraph(rng: Rng, steps: int) -> Series:
    """On for a while, off for a while; the lengths are random, or steady."""
    steady = rng.random() < 0.4
    mean_on, mean_off = np.exp(rng.uniform(np.log(3), np.log(120), 2))
    draw, at, on = np.zeros(steps), -int(rng.integers(48)), bool(rng.integers(2))
    while at < steps:
        mean = mean_on if on else mean_off
        length = max(1, int(mean if steady else rng.exponential(mean)))
        if on:
            draw[max(at, 0) : max(at + length, 0)] = 1
        at, on = at + length, not on
    return draw


def sawtooth(rng: Rng, steps: int) -> Series:
    """Grows until a restart, as a leaking process does."""
    every = np.exp(rng.uniform(np.log(12), np.log(400)))
    draw, at = np.zeros(steps), -int(rng.uniform(0, every))
    regular = rng.random() < 0.5
    while at < steps:
        length = max(3, int(every if regular else rng.exponential(every)))
        ramp = np.linspace(0, 1, length) ** rng.choice([0.5, 1.0, 1.5])
        head = max(-at, 0)
        if at + length > 0:
            part = ramp[head : head + steps - max(at, 0)]
            draw[max(at, 0) : max(at, 0) + len(part)] = part
        at += length
    return draw


def service(rng: Rng, steps: int) -> Series:
    """Utilisation or requests of a service with users: profile, noise that grows with it, changes of level."""
    swing = rng.uniform(0.2, 3)
    shape = 1 + swing * demand_shape(rng, steps)
    if rng.random() < 0.4:
        shape = shape + rng.uniform(0.2, 1.5) * jobs(rng, steps)
    noise = 10 ** rng.uniform(-2.2, -0.3)
    shape = shape * np.exp(noise * autoregressive(rng, steps, rng.choice([0, 0.3, 0.6, 0.9, 0.97]), rng.random() < 0.3))
    if rng.random() < 0.5:
        shape = shape + level_changes(rng, steps, rng.uniform(0.2, 1.5) * swing)
    if rng.random() < 0.3:
        shape = shape + rng.uniform(0.2, 1) * swing * spikes(rng, steps)
    return shape


def idle(rng: Rng, steps: int) -> Series:
    """A machine that does little: flat with noise, jobs, bursts, switches, perhaps in whole steps."""
    draw = 10 ** rng.uniform(-1.5, 0) * autoregressive(rng, steps, rng.choice([0, 0, 0.5, 0.9]), rng.random() < 0.5)
    parts = rng.random(5)
    if parts[0] < 0.35:
        draw = draw + rng.uniform(0.5, 3) * jobs(rng, steps)
    if parts[1] < 0.35:
        draw = draw + rng.uniform(0.3, 2) * spikes(rng, steps)
    if rng.random() < 0.4:
        draw = draw + np.exp(rng.uniform(0, 3)) * bursts(rng, steps)
    if parts[2] < 0.3:
        draw = draw + rng.uniform(0.5, 4) * telegraph(rng, steps)
    if parts[3] < 0.3:
        draw = draw + rng.uniform(0.1, 1) * demand_shape(rng, steps)
    if parts[4] < 0.3:
        draw = draw + level_changes(rng, steps, rng.uniform(0.5, 3))
    return draw


def wandering(rng: Rng, steps: int) -> Series:
    """Memory, queues, temperatures: slow walks, saw teeth, with a little of the day in them."""
    draw = walk(rng, steps) if rng.random() < 0.5 else 2 * sawtooth(rng, steps)
    if rng.random() < 0.3:
        draw = autoregressive(rng, steps, rng.uniform(0.9, 0.995)) * 2
    draw = draw + 10 ** rng.uniform(-2.5, -0.5) * rng.standard_normal(steps)
    if rng.random() < 0.5:
        draw = draw + rng.uniform(0.05, 1) * demand_shape(rng, steps)
    return draw


def counts(rng: Rng, steps: int) -> Series:
    """Requests, messages, arrivals: counts around a profile, overdispersed, with crowds that gather and leave."""
    rate = 0.05 + demand_shape(rng, steps) * rng.uniform(0.5, 2)
    crowd = 1 + rng.uniform(0, 1) * spikes(rng, steps)
    rate = rate * crowd * np.exp(rng.uniform(0, 0.5) * autoregressive(rng, steps, rng.uniform(0, 0.95)))
    mean = rate * 10 ** rng.uniform(0, 3)
    shape = 10 ** rng.uniform(0, 2)
    return rng.poisson(np.minimum(mean * rng.gamma(shape, 1 / shape, steps), 1e9)).astype(float)


def clean(rng: Rng, steps: int) -> Series:
    """Strong days and weeks with little noise and a level that moves slowly, as loads of many users are."""
    weekly = np.zeros(steps)
    if rng.random() < 0.7:
        weekly = rng.uniform(0.05, 0.5) * periodic(rng, steps, 168)
    draw = demand_shape(rng, steps) * rng.uniform(0.5, 2) + rng.uniform(0, 1) * periodic(rng, steps, 24) + weekly
    draw = draw * (1 + rng.uniform(0, 0.2) * smooth(rng, steps, rng.uniform(48, 400)))
    draw = draw + rng.uniform(0, 0.3) * smooth(rng, steps, rng.uniform(24, 300))
    memory = rng.choice([0, 0.5, 0.9, 0.97])
    return draw + 10 ** rng.uniform(-3, -0.8) * autoregressive(rng, steps, memory) * draw.std()


def measured(rng: Rng, series: Series) -> Series:
    """What a meter makes of it: ceilings, floors, whole steps, an outage, a start in the middle."""
    spread = series.std() + 1e-9
    draw = recent_event(rng, series) if rng.random() < 0.12 else series
    if rng.random() < 0.15:
        draw = np.minimum(draw, np.quantile(draw, rng.uniform(0.7, 0.98)))
    if rng.random() < 0.2:
        draw = np.maximum(draw, np.quantile(draw, rng.uniform(0.02, 0.5)))
    if rng.random() < 0.1:
        draw = -draw
    if rng.random() < 0.12:
        step = spread * rng.uniform(0.05, 1)
        draw = np.round(draw / step) * step
    if rng.random() < 0.06:
        at = rng.integers(len(draw))
        draw = draw.copy()
        draw[at : at + int(rng.exponential(12)) + 1] = draw.min()
    if rng.random() < 0.06:
        draw = draw.copy()
        draw[: rng.integers(1, len(draw) - 72)] = draw.min()
    return draw


GENERATORS: tuple[tuple[Callable[[Rng, int], Series], float], ...] = (
    (composition, 0.26),
    (service, 0.24),
    (idle, 0.20),
    (wandering, 0.08),
    (counts, 0.10),
    (clean, 0.12),
)


def synthetic_pool(seed: int, size: int, steps: int) -> np.ndarray:
    """`size` series of `steps` hours, each scaled to unit spread around its median; float32."""
    rng = np.random.default_rng(seed)
    shares = np.array([share for _, share in GENERATORS])
    picks = rng.choice(len(GENERATORS), size, p=shares / shares.sum())
    pool = np.zeros((size, steps), np.float32)
    for index, pick in enumerate(picks):
        draw = measured(rng, GENERATORS[pick][0](rng, steps))
        draw = np.nan_to_num(draw - np.median(draw), posinf=0, neginf=0)
        pool[index] = np.clip(draw / (np.abs(draw).mean() + 1e-9), -1e4, 1e4)
    return pool
