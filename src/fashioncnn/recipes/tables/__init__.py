"""The tables of a recipe that hold settings of their own, one a file, named as in the recipe."""
