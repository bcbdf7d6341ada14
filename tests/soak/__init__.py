"""Lets the product run under load while a nemesis breaks it, and then checks what must have stayed true."""
