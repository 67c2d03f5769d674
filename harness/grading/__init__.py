"""Pairs and a teacher become records: plan, executors, budget, reply cache."""
