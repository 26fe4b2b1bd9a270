"""Fills every gap and returns the ASGI application to serve."""

from . import access, alarms, autoscaling, buses, control, lambdas, maps, object_lock, schedules, workflows


def everything():
    for gap in (access, alarms, buses, schedules, autoscaling, object_lock, lambdas, workflows, maps):
        gap.install()
    return control.install()
