"""Load on the whole service, measured: `python -m scripts.load --help`. What and why: docs/performance.md."""
