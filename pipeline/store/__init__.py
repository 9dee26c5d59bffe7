"""What wirecopy remembers, in PostgreSQL: tables, migrations, repositories that take a Session, and queries for the faces."""
