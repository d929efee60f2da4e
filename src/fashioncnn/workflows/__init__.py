"""One verb a file: what the command line and `import fashioncnn` both call."""
