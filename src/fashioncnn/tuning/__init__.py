"""Search over recipe keys: spaces, the journal of a study, its ranking."""
