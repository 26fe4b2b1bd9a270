"""Fills every gap and returns the ASGI application to serve."""

from . import (
    access,
    alarms,
    autoscaling,
    buses,
    control,
    lambdas,
    launch_targets,
    maps,
    metrics,
    object_lock,
    quotas,
    reservation_access,
    reservation_calls,
    schedules,
    shares,
    templates,
    termination,
    workflows,
)

GAPS = (access, quotas, metrics, alarms, buses, schedules, autoscaling, termination, object_lock, templates, lambdas, workflows,
        maps, reservation_calls, shares, launch_targets, reservation_access)


def everything():
    for gap in GAPS:
        gap.install()
    return control.install()
