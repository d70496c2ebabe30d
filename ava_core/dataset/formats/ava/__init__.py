"""AVA's own format, as SlowFast, mmaction2, pytorchvideo, AlphAction and the AVA evaluation read it."""
