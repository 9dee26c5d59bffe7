"""Putting a text back together from its copies: values in, values out; no clock, no I/O, no logging."""
