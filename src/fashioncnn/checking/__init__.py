"""What a teacher would look at in a part of the user's own: one check a function, told plainly."""
