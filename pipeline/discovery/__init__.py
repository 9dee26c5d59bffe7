"""Finding an article's other copies: queries that survive rewriting, providers that answer them, candidates judged first."""
