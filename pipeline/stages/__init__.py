"""The stages: admit, fetch, extract, read a source, place, collate, recover. Each returns what happened.

A stage takes ids, reads its rows anew and may run twice. `next` of an Outcome names the work that the outcome makes due:
the caller rings for it after the commit, and the sweep rings for what nobody rang for.
"""
