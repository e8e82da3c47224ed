"""A simulator of services under load, for the rules that scale them."""

from autoscaling.rules import RULES, Rule
from autoscaling.service import Outcome, simulate
from autoscaling.shapes import SHAPES, Shape

__all__ = ["RULES", "SHAPES", "Outcome", "Rule", "Shape", "simulate"]
