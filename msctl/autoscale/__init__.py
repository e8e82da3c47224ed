"""How many replicas a load asks for: the Horizontal Pod Autoscaler's rules. Pure.

`decide` is all that the loop needs; what it is made of has a module for each part of the rules.
"""

from __future__ import annotations

from msctl.autoscale.decide import decide
from msctl.autoscale.policy import Policy, policy_of
from msctl.autoscale.records import Decision, History, Reading, ReplicaSample, Samples

__all__ = [
    "Decision",
    "History",
    "Policy",
    "Reading",
    "ReplicaSample",
    "Samples",
    "decide",
    "policy_of",
]
