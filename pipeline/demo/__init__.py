"""A small invented web to try wirecopy on: two agency articles, their copies in many house styles, and pages that are none."""
