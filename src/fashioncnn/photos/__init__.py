"""Picture files, and photographs of clothes made into pictures as the data set's own are."""
