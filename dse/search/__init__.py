"""Searching a mapspace by costing many mappings: the baselines that proven schedules are compared with."""
