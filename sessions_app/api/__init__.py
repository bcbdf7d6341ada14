"""The REST interface of sessions: parse, authorise, call one service, shape the answer."""
