"""The global LSTM: one network for every series, quantiles for each hour of the horizon."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from features import (
    CANDIDATES,
    CONTEXT,
    CONTEXT_FEATURES,
    HORIZON,
    LEVELS,
    MEDIAN,
    PATCH,
    STATICS,
    Features,
)

OUTPUTS = CANDIDATES + 1 + len(LEVELS) - 1


class GlobalLstm(nn.Module):
    """
    One LSTM runs over the days of the context and then over those of the horizon, where it is shown the candidates. For each
    hour it gives weights of the candidates, a correction of their mean, and the distances between neighbouring quantiles: a
    head writes those of a day at once, and another one, the same for every hour, adds to them.
    """

    def __init__(
        self, hidden: int = 192, layers: int = 2, embedding: int = 128, hourly: int = 96, dropout: float = 0.05
    ) -> None:
        super().__init__()
        self.context_in = nn.Linear(PATCH * CONTEXT_FEATURES, embedding)
        self.horizon_in = nn.Linear(PATCH * CANDIDATES, embedding)
        self.statics_in = nn.Linear(STATICS, embedding)
        self.place = nn.Parameter(torch.zeros(HORIZON // PATCH, embedding))
        self.lstm = nn.LSTM(embedding, hidden, layers, batch_first=True, dropout=dropout)
        self.head_in = nn.Linear(hidden + embedding, hidden)
        self.head_out = nn.Linear(hidden, PATCH * OUTPUTS)
        self.hour_state = nn.Linear(hidden + embedding, hourly)
        self.hour_in = nn.Linear(CANDIDATES, hourly, bias=False)
        self.hour_place = nn.Parameter(torch.zeros(HORIZON // PATCH, PATCH, hourly))
        self.hour_hidden = nn.Linear(hourly, hourly)
        self.hour_out = nn.Linear(hourly, OUTPUTS)
        self.prior = nn.Linear(STATICS, CANDIDATES)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.prior.weight)
        nn.init.zeros_(self.prior.bias)
        with torch.no_grad():
            # At first the candidates that fared better weigh more.
            self.prior.weight[:, :CANDIDATES] = -2 * torch.eye(CANDIDATES)
            self.head_out.weight *= 0.3

    def forward(self, context: Tensor, horizon: Tensor, statics: Tensor) -> Tensor:
        """The raw answer: [batch, HORIZON, OUTPUTS]."""
        whole = self.statics_in(statics)[:, None]
        past = torch.relu(self.context_in(context) + whole)
        ahead = torch.relu(self.horizon_in(horizon) + whole + self.place)
        states, _ = self.lstm(torch.cat([past, ahead], 1))
        seen = torch.cat([states[:, CONTEXT // PATCH :], ahead], 2)
        answer = self.head_out(self.dropout(torch.relu(self.head_in(seen))))
        hours = self.hour_in(horizon.unflatten(2, (PATCH, CANDIDATES))) + self.hour_state(seen)[:, :, None]
        hours = torch.relu(self.hour_hidden(torch.relu(hours + self.hour_place)))
        answer = (answer.unflatten(2, (PATCH, OUTPUTS)) + self.hour_out(hours)).flatten(1, 2)
        prior = nn.functional.pad(self.prior(statics), (0, OUTPUTS - CANDIDATES))
        return answer + prior[:, None]


def quantiles_of(answer: Tensor, features: Features) -> Tensor:
    """Normalised quantiles [batch, HORIZON, levels] of a raw answer; they cannot cross."""
    weights = torch.softmax(answer[:, :, :CANDIDATES], 2)
    unit = features.unit[:, None, None]
    median = (weights * features.candidates).sum(2, keepdim=True) + answer[:, :, CANDIDATES : CANDIDATES + 1] * unit
    gaps = nn.functional.softplus(answer[:, :, CANDIDATES + 1 :]) * unit
    below = median - gaps[:, :, :MEDIAN].flip(2).cumsum(2).flip(2)
    above = median + gaps[:, :, MEDIAN:].cumsum(2)
    return torch.cat([below, median, above], 2)


def pinball(quantiles: Tensor, actual: Tensor) -> Tensor:
    """Pinball losses [batch, HORIZON, levels]."""
    error = actual[:, :, None] - quantiles
    levels = torch.tensor(LEVELS, dtype=error.dtype)
    return torch.maximum(levels * error, (levels - 1) * error)
