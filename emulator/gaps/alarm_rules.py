"""How CloudWatch decides an alarm's state from a row of periods (pure functions).

Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data",
whose two tables are the test cases of this module.
"""

# CloudWatch looks at more periods than EvaluationPeriods ("the exact number varies"); its guide shows 5 for 3.
EXTRA_PERIODS = 2

BREACHING = "breaching"
WITHIN = "within"
MISSING = None

COMPARISONS = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def next_state(statuses, evaluation_periods, datapoints_to_alarm, treat_missing):
    """The state the row of periods (oldest first) leads to, or None when the alarm keeps its state."""
    real = [status for status in statuses if status is not MISSING]
    if len(real) >= evaluation_periods:
        return _counted(real[-evaluation_periods:].count(BREACHING), datapoints_to_alarm)
    breaching = real.count(BREACHING)
    if treat_missing == "breaching":
        return _counted(breaching + evaluation_periods - len(real), datapoints_to_alarm)
    if treat_missing == "notBreaching":
        return _counted(breaching, datapoints_to_alarm)
    if breaching >= datapoints_to_alarm and breaching > 0:
        return "ALARM"
    if WITHIN in real:
        return "OK"
    if treat_missing == "ignore":
        return None
    if not real:
        return "INSUFFICIENT_DATA"
    # Only breaching points, too few of them: ALARM once the oldest of them is at least M periods old.
    oldest_age_periods = len(statuses) - statuses.index(BREACHING)
    return "ALARM" if oldest_age_periods >= datapoints_to_alarm else None


def _counted(breaching, datapoints_to_alarm):
    return "ALARM" if breaching >= datapoints_to_alarm else "OK"


def newest_period_start(now, period_seconds, has_datapoint):
    """Start of the newest period that counts.

    CloudWatch waits for a period to be over. Here the running period counts as soon as it has a
    datapoint, so that a demo or a test need not sit through it.
    """
    running = int(now // period_seconds) * period_seconds
    return running if has_datapoint(running) else running - period_seconds
