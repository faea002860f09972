"""Lives here: what measures limner on this machine. `make bench` runs it; figures go to `bench/results/`."""
