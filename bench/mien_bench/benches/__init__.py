"""The benches: `mien bench NAME` is the module NAME here, in the form of `mien_bench.command.Bench`."""
