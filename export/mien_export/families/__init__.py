"""Network families for training and export, one folder each."""
