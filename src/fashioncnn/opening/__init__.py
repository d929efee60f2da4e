"""What a verb opens at its door and hands on: data, runs, trained networks."""
