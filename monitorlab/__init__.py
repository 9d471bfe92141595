"""Look at metrics in a notebook (the names are collected here once every part stands)."""
