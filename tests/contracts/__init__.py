"""What every member of a family must keep, found by itself."""
