"""Video files: finding them in a batch's input, probing, cutting into clips, frames, previews."""
