"""Celery, and the console script: the only place that wires faces, stages and processes together."""
