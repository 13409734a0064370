"""The database: tables, the one writer, named queries. Commits happen in `store.py` and nowhere else."""
