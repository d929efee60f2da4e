"""Files to start from: what `fashioncnn new` writes."""
