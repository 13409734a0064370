"""How a message leaves. One module a platform, one shape: see `base.py`."""
