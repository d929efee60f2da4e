"""What people see while work runs, and their wish to stop."""
