"""The examples, started as their pages say."""
