"""`python -m fashioncnn` is `fashioncnn`."""

from fashioncnn.cli.main import main

if __name__ == "__main__":
    main()
