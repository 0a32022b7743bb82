"""Models on disk: the catalogue, the store, and the explicit pulls that fill it.

Importing this package imports nothing else: `store.store` reads disks, `store.pull` reaches networks,
and neither knows of tensors or of LSP.
"""
