"""What touches publishers: URLs, robots files, politeness, fetching, feeds and the reading of pages."""
