"""Django commands of the project itself."""
