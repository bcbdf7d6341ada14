"""Git over HTTPS for the session's repositories: the token is put in here, and pushes keep to branches."""
