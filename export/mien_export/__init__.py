"""Everything that is done before the engine runs: samples, training and export."""
