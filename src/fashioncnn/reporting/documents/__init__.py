"""What pages say, a form for each: `report.json` is one of them, and its page draws it alone."""
