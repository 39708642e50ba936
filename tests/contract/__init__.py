"""What every store promises, tried on each adapter; what only one of them has is in files of its own."""
