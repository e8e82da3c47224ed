"""How many replicas a load asks for: the Horizontal Pod Autoscaler's rules. Pure.

`decide.decide` is all that the loop needs; each part of the rules has a
module of its own.
"""
