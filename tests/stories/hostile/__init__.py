"""What nobody with good intentions would send."""
