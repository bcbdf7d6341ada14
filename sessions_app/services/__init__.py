"""The rules: transactions over the rows, one module per noun; callers are views, consumers and tasks."""
