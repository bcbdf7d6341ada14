"""The one-command run: everything that `manage.py up` does, without Django."""
