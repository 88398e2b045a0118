"""Real servers, a real store, a clock that the test moves, letters caught in a list, a worker stepped by hand."""
