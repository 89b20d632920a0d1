"""Prefect: the tasks of a run, what its pages show, the temporary server, and a server that goes away.

Prefect is imported from here alone, for its reports to others must be off before it reads its settings.
"""

from winnow.base.telemetry import switch_off

switch_off()
