"""One format, one folder; `flavours` lists those that a dataset is written in.

names.py     every path and file name of the format
reader.py    from files to tables
writer.py    from a `dataset.Dataset` to files
labels.py    its label map
checks/      the rules that its readers enforce
"""
