"""Data that ships with wirecopy: defaults, sources, schedule, agency marks. Data, not code."""
