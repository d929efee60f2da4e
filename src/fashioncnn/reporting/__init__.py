"""Run directories to figures and one self-contained page; reads files only."""
