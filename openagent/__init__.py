"""The Django project: settings, routing, accounts, the leaves in lib and the one-command run."""
