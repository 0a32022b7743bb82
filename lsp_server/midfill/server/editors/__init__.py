"""Working configuration for editors: texts to print, files to write, and taking them out again.

Knows what each editor's configuration looks like; must not know the server.
"""
