"""Prefect: the tasks of a run, what its pages show, the temporary server, and a server that goes away.

Prefect is imported from here alone, for its reports to others must be off, and this machine reached without a proxy,
before it reads its settings.
"""

from winnow.base.environment import reach_loopback_directly, switch_off

switch_off()
reach_loopback_directly()
