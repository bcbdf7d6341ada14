"""The program in the box: standard library only, no secrets; the box's owner may have replaced it."""
