"""Live runs on this machine, with and without codecs, undisturbed and disturbed."""
