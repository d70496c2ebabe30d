"""COCO with videos (`CocoVID`)."""
