"""What the browser is given besides pages: the door, files, uploads."""
