"""Families of networks that mien trains and exports, a folder each."""
