"""What stands in the place of Redis where there is none: nothing to show, nobody to wake."""
