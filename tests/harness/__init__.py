"""What tests run on: real servers, a real store, a clock that the test moves, and letters that are kept in a list."""
