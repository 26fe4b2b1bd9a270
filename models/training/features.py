"""What the network is told of a history. core/forecast/lstm-features.ts computes the same numbers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

DAY = 24
WEEK = 168
HORIZON = 48
CONTEXT = 336
HISTORY = 720
BACKTESTS = 3
# Room on the left, never known, so that a week's lag of the oldest backtest stays inside.
WIDTH = HISTORY + BACKTESTS * DAY
PATCH = 24
CANDIDATES = 16
CONTEXT_FEATURES = 6
STATICS = 2 * CANDIDATES + 13
LEAST_SCALE = 0.01
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
MEDIAN = 3


@dataclass(frozen=True)
class Features:
    """Inputs of the network (context, horizon, statics) and what its answer is measured in; all by series of a batch."""

    context: Tensor  # [batch, CONTEXT / PATCH, PATCH * CONTEXT_FEATURES]
    horizon: Tensor  # [batch, HORIZON / PATCH, PATCH * CANDIDATES]
    statics: Tensor  # [batch, STATICS]
    candidates: Tensor  # [batch, HORIZON, CANDIDATES], normalised
    unit: Tensor  # [batch], normalised size of an error
    seasonal: Tensor  # [batch], normalised mean absolute change over a day
    location: Tensor  # [batch]
    scale: Tensor  # [batch]


def masked_mean(values: Tensor, known: Tensor, dim: int) -> Tensor:
    return (values * known).sum(dim) / known.sum(dim).clamp(min=1)


def masked_median(values: Tensor, counts: Tensor) -> Tensor:
    """Median over dim 1 of the first `counts` rows."""
    rows = torch.arange(values.shape[1]).view(1, -1, *[1] * (values.dim() - 2))
    shape = (-1, *[1] * (values.dim() - 1))
    ordered = values.masked_fill(rows >= counts.view(shape), torch.inf).sort(1).values
    low = ((counts - 1) // 2).view(shape).expand(-1, 1, *values.shape[2:])
    high = (counts // 2).view(shape).expand(-1, 1, *values.shape[2:])
    return (ordered.gather(1, low).squeeze(1) + ordered.gather(1, high).squeeze(1)) / 2


def normalise(raw: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Right-aligned values [batch, WIDTH] around their median, in mean absolute deviations; 0 where unknown."""
    span = lengths.clamp(max=CONTEXT)
    tail = raw[:, WIDTH - CONTEXT :].flip(1)
    location = masked_median(tail, span)
    known = torch.arange(CONTEXT) < span[:, None]
    scale = masked_mean((tail - location[:, None]).abs(), known, 1)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    mask = torch.arange(WIDTH) >= (WIDTH - lengths)[:, None]
    return (raw - location[:, None]) / scale[:, None] * mask, location, scale


def candidates_at(z: Tensor, end: int, lengths: Tensor) -> Tensor:
    """Simple forecasts of the HORIZON hours after step `end`, from the `lengths` hours before it: [batch, HORIZON, CANDIDATES]."""
    days = torch.stack([z[:, end - DAY * (k + 1) : end - DAY * k] for k in range(14)], 1)
    day_known = (lengths[:, None] >= DAY * torch.arange(1, 15))[:, :, None].to(z.dtype)
    weeks = torch.stack([z[:, end - WEEK * k : end - WEEK * k + HORIZON] for k in range(1, 5)], 1)
    week_known = (lengths[:, None] >= WEEK * torch.arange(1, 5))[:, :, None].to(z.dtype)
    before = torch.stack([z[:, end - WEEK * k - DAY : end - WEEK * k] for k in range(1, 4)], 1)
    before_known = (lengths[:, None] >= WEEK * torch.arange(1, 4) + DAY)[:, :, None].to(z.dtype)
    has_week = (lengths >= WEEK)[:, None]
    has_shift = (lengths >= WEEK + DAY)[:, None]

    def twice(day: Tensor) -> Tensor:
        return day.repeat(1, 2)

    naive = days[:, 0]
    mean7 = masked_mean(days[:, :7], day_known[:, :7], 1)
    mean14 = masked_mean(days, day_known, 1)
    median7 = masked_median(days[:, :7], (lengths // DAY).clamp(max=7))
    fade = (0.5 ** torch.arange(14)).to(z.dtype)[None, :, None] * day_known
    faded = (days * fade).sum(1) / fade.sum(1)
    level = naive.mean(1, keepdim=True)
    shifted = mean7 + (level - mean7.mean(1, keepdim=True))
    recent = mean7 + (naive - mean7)[:, -3:].mean(1, keepdim=True)
    weekly = torch.where(has_week, weeks[:, 0], twice(naive))
    weekly_mean = torch.where(has_week, masked_mean(weeks, week_known, 1), twice(mean7))
    weekly_shifted = torch.where(has_shift, weekly + (level - before[:, 0].mean(1, keepdim=True)), twice(shifted))
    weekly_gap = (naive - masked_mean(before, before_known, 1)).mean(1, keepdim=True)
    weekly_mean_shifted = torch.where(has_shift, weekly_mean + weekly_gap, twice(shifted))
    last = z[:, end - 1 : end].expand(-1, HORIZON)
    lately = naive[:, -6:].mean(1, keepdim=True)
    middle = naive.sort(1).values[:, 11:13].mean(1, keepdim=True)
    median3 = masked_median(days[:, :3], (lengths // DAY).clamp(max=3))
    return torch.stack(
        [
            twice(naive),
            weekly,
            twice(mean7),
            twice(mean14),
            weekly_mean,
            last,
            level.expand(-1, HORIZON),
            weekly_shifted,
            twice(shifted),
            twice(median7),
            weekly_mean_shifted,
            twice(recent),
            twice(faded),
            lately.expand(-1, HORIZON),
            middle.expand(-1, HORIZON),
            twice(median3),
        ],
        2,
    )


def backtest(z: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Mean absolute error of each candidate over the last day, and over up to three of the last days."""
    errors, known = [], []
    for back in range(1, BACKTESTS + 1):
        end = WIDTH - DAY * back
        had = lengths - DAY * back
        guess = candidates_at(z, end, had.clamp(min=DAY))[:, :DAY]
        errors.append((guess - z[:, end : end + DAY, None]).abs().mean(1))
        known.append((had >= DAY).to(z.dtype))
    stacked, counted = torch.stack(errors, 1), torch.stack(known, 1)[:, :, None]
    return stacked[:, 0], masked_mean(stacked, counted, 1)


def context_features(z: Tensor, lengths: Tensor, seasonal: Tensor) -> Tensor:
    """By hour of the last CONTEXT hours: the value, its change over a day and a week, its distance from the same hours before."""
    start = WIDTH - CONTEXT
    steps = torch.arange(start, WIDTH)

    def known_at(lag: int) -> Tensor:
        return (steps - lag >= (WIDTH - lengths)[:, None]).to(z.dtype)

    now = z[:, start:]
    unit = seasonal[:, None]
    lags = torch.stack([z[:, start - DAY * k : WIDTH - DAY * k] for k in range(1, 8)], 1)
    lags_known = torch.stack([known_at(DAY * k) for k in range(1, 8)], 1)
    usual = masked_mean(lags, lags_known, 1)
    parts = [
        torch.asinh(now) * known_at(0),
        torch.asinh((now - lags[:, 0]) / unit) * known_at(DAY),
        torch.asinh((now - lags[:, 6]) / unit) * known_at(WEEK),
        torch.asinh((now - usual) / unit) * known_at(DAY),
        known_at(0),
        known_at(WEEK),
    ]
    patches = torch.stack([part.unflatten(1, (-1, PATCH)) for part in parts], 2)
    return patches.flatten(2)


def statics_of(z: Tensor, lengths: Tensor, last_day: Tensor, mean: Tensor, unit: Tensor, seasonal: Tensor) -> Tensor:
    """Numbers of the whole series: how the candidates fared, how rough it is, how long, where it stands."""
    span = lengths.clamp(max=CONTEXT)
    tail = z[:, WIDTH - CONTEXT :]
    known = torch.arange(CONTEXT) >= (CONTEXT - span)[:, None]
    change = (tail[:, 1:] - tail[:, :-1]).abs()
    rough = masked_mean(change, known[:, :-1], 1)
    rough_now = change[:, -DAY:].mean(1)
    day = z[:, -DAY:]
    level = day.mean(1)
    lowest = tail.masked_fill(~known, torch.inf).amin(1)
    highest = tail.masked_fill(~known, -torch.inf).amax(1)
    small = 0.02 * seasonal
    columns = [
        seasonal.log(),
        (lengths / CONTEXT).log(),
        (lengths >= WEEK).to(z.dtype),
        (lengths >= WEEK + DAY).to(z.dtype),
        (lengths >= 2 * WEEK).to(z.dtype),
        (unit / seasonal).log(),
        ((rough + small) / seasonal).log(),
        ((rough_now + small) / seasonal).log(),
        ((day - level[:, None]).abs().mean(1) + 0.02).log(),
        torch.asinh(day[:, -1]),
        torch.asinh(level),
        torch.asinh(highest),
        torch.asinh(lowest),
    ]
    ratios = [((errors + small[:, None]) / seasonal[:, None]).log() for errors in (mean, last_day)]
    return torch.cat([*ratios, torch.stack(columns, 1).to(z.dtype)], 1)


def features_of(raw: Tensor, lengths: Tensor) -> Features:
    """Features of histories [batch, WIDTH], right-aligned, of which the last `lengths` (48 to HISTORY) hours are known."""
    z, location, scale = normalise(raw, lengths)
    span = lengths.clamp(max=CONTEXT)
    tail = z[:, WIDTH - CONTEXT :]
    compared = torch.arange(CONTEXT - DAY) >= (CONTEXT - span)[:, None]
    seasonal = masked_mean((tail[:, DAY:] - tail[:, :-DAY]).abs(), compared, 1).clamp(min=LEAST_SCALE)
    candidates = candidates_at(z, WIDTH, lengths)
    last_day, mean = backtest(z, lengths)
    unit = torch.minimum(torch.maximum(mean.amin(1), 0.05 * seasonal), 3 * seasonal)
    base = candidates[:, :, 2:3]
    relative = torch.asinh((candidates - base) / seasonal[:, None, None])
    horizon = torch.cat([torch.asinh(base), relative[:, :, :2], relative[:, :, 3:]], 2)
    return Features(
        context=context_features(z, lengths, seasonal),
        horizon=horizon.unflatten(1, (-1, PATCH)).flatten(2),
        statics=statics_of(z, lengths, last_day, mean, unit, seasonal),
        candidates=candidates,
        unit=unit,
        seasonal=seasonal,
        location=location,
        scale=scale,
    )
