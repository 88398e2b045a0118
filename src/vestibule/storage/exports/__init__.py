"""Files of people that other programs export, for `vestibule users import`: one module for each format."""
