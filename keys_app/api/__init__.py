"""The REST interface of keys: parse, authorise, call one service, shape the answer."""
