"""A few cells of `measure/faults`, few times each."""
