"""Who may use this installation: users, their access tokens and the first-run set-up."""
