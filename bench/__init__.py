"""Benchmarks beside the programs we want to be measured against, printed as ratios of one run."""
