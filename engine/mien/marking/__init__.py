"""The invisible mark: a payload in the luma of frames, and how it is read again."""
