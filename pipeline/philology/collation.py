"""A collation: the witnesses of a story, aligned, one column a place in the text."""
